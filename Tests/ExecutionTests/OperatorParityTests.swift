import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Every operator in its own model, against ONNX Runtime.
@Suite struct OperatorParityTests {
  static let names: [String] = {
    let folder = Fixtures.path("operators")
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }()

  @Test(arguments: names)
  func matchesONNXRuntime(name: String) throws {
    let network = try NeuralNetwork(contentsOf: Fixtures.path("operators/\(name)/model.onnx"))
    let expected = try Fixtures.tensor("operators/\(name)/output.npy")
    for threads in [1, 2] {
      let trace = try Executor(network, threads: threads)
        .trace(Fixtures.tensor("operators/\(name)/input.npy"))
      let found = trace.value(of: network.graph.output)
      #expect(found.shape == expected.shape)
      guard found.shape == expected.shape else { return }
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision)
    }
  }

  /// All cases are present: the folders are those of the manifest.
  @Test func allCasesAreThere() throws {
    let listed = try Fixtures.listed("operators/").map { $0.split(separator: "/") }.filter { $0.count == 3 }
    #expect(Set(listed.map { String($0[1]) }) == Set(Self.names))
    #expect(Self.names.count >= 80)
  }
}
