import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The operator test vectors of the onnx package, and the graphs of the ONNX model zoo.
@Suite struct VectorTests {
  /// Every vector passes, or is rejected with the error in the manifest.
  ///
  /// If the environment variable RELEVANCEKIT_VECTORS_FOUND names a file, the test writes the current errors to it, for
  /// `Tools/reference/writers/write_vectors.py --found`.
  @Test func vectorsMatchTheManifest() throws {
    let pack = try PackedCases("vectors")
    #expect(pack.cases.count >= 2500)
    var refused: [String: String] = [:]
    for test in pack.cases {
      let expected = test.refused.map(PackedCases.Outcome.refused) ?? .passes
      let found = try pack.outcome(of: test)
      #expect(found == expected, "\(test)")
      if case .refused(let reason) = found { refused[test.name] = reason }
    }
    if let path = ProcessInfo.processInfo.environment["RELEVANCEKIT_VECTORS_FOUND"] {
      try JSONEncoder().encode(refused).write(to: URL(fileURLWithPath: path))
    }
  }

  @Test func zooGraphsGiveTheExpectedOutputs() throws {
    let pack = try PackedCases("zoo")
    #expect(pack.cases.count == 9)
    for test in pack.cases {
      let outcome = try pack.outcome(of: test, threads: 2)
      #expect(outcome == .passes, "\(test)")
    }
  }
}
