import Foundation
import RelevanceKit
import TestSupport
import Testing

/// `relevance concepts index` on scenes of two digits, with a network that was trained on such.
@Suite struct ConceptIndexToolTests {
  private let bench: Workbench
  private static let model = Fixtures.path("digits/vgg")
  private static let scenes = Fixtures.path("digits/scenes/instances.json")

  init() throws { bench = try Workbench() }

  private func index(_ arguments: String..., output: String) throws -> Outcome {
    try bench.run(
      ["concepts", "index", Self.model, Self.scenes, "--limit", "12", "--layer", "relu_conv4_2", "--output", output]
        + arguments)
  }

  /// All files of a folder.
  private func files(_ folder: String) throws -> [String: Data] {
    let path = bench.path(folder)
    let names = try FileManager.default.subpathsOfDirectory(atPath: path)
    return try Dictionary(
      uniqueKeysWithValues: names.filter { FileSystem.isFolder("\(path)/\($0)") == false && !$0.hasSuffix(".state") }
        .map { ($0, try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)"))) })
  }

  @Test func shardsMergeToTheSameBytes() throws {
    let outcome = try index(output: "whole")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("whole/index.json: up to 8 of 12 images for each channel"))
    for shard in 1...4 {
      let part = try index("--shard", "\(shard)/4", "--threads", "\(1 + shard % 2)", output: "parts")
      #expect(part.status == 0 && part.output.contains("relevance concepts merge"), "\(part.errors)")
    }
    let merged = try bench.run("concepts", "merge", "parts", "--output", "parts")
    #expect(merged.status == 0, "\(merged.errors)")
    #expect(try files("parts") == files("whole"))
    let arrays = ["actmax-by-class", "actmax", "relmax-by-class", "relmax"].map { "relu_conv4_2/\($0).npy" }
    #expect(try Set(files("whole").keys) == Set(arrays + ["index.json"]))
  }

  /// Ended by a signal at some moment, and continued until it is done.
  @Test func killedRunsContinue() throws {
    #expect(try index(output: "whole").status == 0)
    var ended = false
    for round in 0..<40 where !ended {
      let process = Process()
      process.executableURL = Workbench.executable(named: "relevance")
      process.arguments = [
        "concepts", "index", Self.model, Self.scenes, "--limit", "12", "--layer", "relu_conv4_2", "--output",
        bench.path("killed"), "--resume", "--threads", "1",
      ]
      (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try process.run()
      usleep(useconds_t(4000 * (round + 1)))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      ended = process.terminationReason == .exit
    }
    #expect(try index("--resume", output: "killed").status == 0)
    #expect(try files("killed") == files("whole"))
    let again = try index("--resume", output: "killed")
    #expect(again.status == 0, "\(again.errors)")
  }

  @Test func badRequestsAreRefused() throws {
    #expect(try index(output: "out").status == 0)
    let cases: [(arguments: [String], status: Int32, text: String)] = [
      ([], 64, "is there already; --resume continues it, another --output starts anew"),
      (["--resume", "--top", "3"], 64, "cannot be continued: it has top 8, not 3"),
      (["--output", "other", "--top", "0"], 64, "--top is 0; expected 1 to 1000 images"),
      (["--output", "other", "--layer", "relu_conv4_2"], 64, "--layer relu_conv4_2 is given twice"),
      (["--output", "other", "--layer", "conf3"], 64, "conf3"),
      (["--output", "other", "--method", "grad-cam"], 64, "does not carry relevance"),
      (["--output", "other", "--shard", "3/2"], 64, "--shard is 3/2; expected i/n with 1 ≤ i ≤ n"),
    ]
    for (arguments, status, text) in cases {
      let outcome = try bench.run(
        ["concepts", "index", Self.model, Self.scenes, "--limit", "12", "--layer", "relu_conv4_2"]
          + (arguments.contains("--output") ? [] : ["--output", "out"]) + arguments)
      #expect(outcome.status == status && outcome.errors.contains(text), "\(arguments): \(outcome.errors)")
    }
    for (arguments, text) in [(["model"], "expected states of shards"), (["missing.state"], "no such file")] {
      let outcome = try bench.run(["concepts", "merge"] + arguments)
      #expect(
        outcome.status != 0 && outcome.errors.contains(text) && outcome.errorLines.count == 1, "\(outcome.errors)")
    }
  }
}
