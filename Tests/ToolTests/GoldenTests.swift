import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Compares the output of commands for whole networks with reviewed files. A missing file fails.
@Suite struct GoldenTests {
  /// To write the files again, run the tests with RELEVANCEKIT_WRITE_GOLDEN=1, and review the changes.
  static func expect(_ text: String, in file: String) throws {
    let path = Fixtures.path("golden/\(file)")
    if ProcessInfo.processInfo.environment["RELEVANCEKIT_WRITE_GOLDEN"] != nil {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "\(file)")
  }

  @Test(arguments: [
    ("alexnet-dynamo", "default", []), ("googlenet-kept", "paper", []), ("resnet18-kept", "EpsilonGammaBox", []),
    ("resnet18-kept", "EpsilonPlusFlat", ["--fold-batch-norm"]),
    ("resnet18-kept", "default", ["--why", "/fc/Gemm", "--why", "/layer4/layer4.1/Add"]),
  ])
  func inspect(network: String, table: String, options: [String]) throws {
    let bench = try Workbench()
    let folder = try Fixtures.Scratch()
    try SeededNetwork.write(network, to: folder)
    let outcome = try bench.run(["inspect", folder.url.path, "--rules", table] + options)
    #expect(outcome.status == 0)
    let words = [network, table] + options.filter { $0.hasPrefix("--") }.prefix(1).map { String($0.dropFirst(2)) }
    try Self.expect(outcome.output + outcome.errors, in: "inspect-\(words.joined(separator: "-")).txt")
  }
}
