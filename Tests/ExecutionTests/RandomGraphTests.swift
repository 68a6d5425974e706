import RelevanceTestSupport
import Testing

/// Random networks, against ONNX Runtime, for whole tensors.
@Suite struct RandomGraphTests {
  @Test(arguments: [1, 2]) func matchONNXRuntime(threads: Int) throws {
    let pack = try PackedCases("graphs")
    #expect(pack.cases.count == 200)
    for test in pack.cases { #expect(try pack.outcome(of: test, threads: threads) == .passes, "\(test)") }
  }
}
