import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance evaluate` on scenes of two digits, with a network that was trained on such scenes.
@Suite struct EvaluateTests {
  private let bench: Workbench
  private static let model = Fixtures.path("digits/vgg")
  private static let scenes = Fixtures.path("digits/scenes/instances.json")

  init() throws { bench = try Workbench() }

  private func evaluate(_ evaluation: String, _ arguments: String..., output: String) throws -> Outcome {
    try bench.run(["evaluate", evaluation, Self.model, Self.scenes, "--output", output] + arguments)
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: bench.path(name))) }

  private static let pointing = ["--limit", "12", "--method", "random", "--method", "lrp", "--method", "clrp1"]

  private func pointing(_ arguments: String..., output: String) throws -> Outcome {
    try bench.run(["evaluate", "pointing", Self.model, Self.scenes, "--output", output] + Self.pointing + arguments)
  }

  @Test func reportsAreWritten() throws {
    let outcome = try pointing(output: "out")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("## pointing\n\n### Pointing\n"))
    let files = try FileManager.default.contentsOfDirectory(atPath: bench.path("out")).sorted()
    #expect(
      files == [
        "energy-in-boxes-of-other-classes.csv", "energy-share.png", "energy-share.svg", "hits-by-threshold.csv",
        "hits-by-threshold.png",
        "hits-by-threshold.svg",
        "journal.jsonl", "pointing.csv", "report.json", "report.md",
      ])
    #expect(try bytes("out/report.md") == Data(outcome.output.utf8))
    let report = try #require(try JSONSerialization.jsonObject(with: bytes("out/report.json")) as? [String: Any])
    let tables = try #require(report["tables"] as? [[String: Any]])
    let rows = try #require(tables[0]["rows"] as? [[Any]])
    #expect(rows.map { $0[0] as? String } == ["random", "lrp", "clrp1"])
    // An estimate with its interval, an empty cell, and a count.
    let share = try #require(rows[1][5] as? [String: Double])
    let (low, value, high) = try (#require(share["low"]), #require(share["value"]), #require(share["high"]))
    #expect(share.count == 3 && 0 < low && low <= value && value <= high && high < 1)
    #expect(rows[1][6] is NSNull && rows[1][8] as? Int == 0)
  }

  @Test func shardsMergeToTheSameBytes() throws {
    #expect(try pointing(output: "whole").status == 0)
    for shard in 1...4 {
      #expect(try pointing("--shard", "\(shard)/4", "--threads", "\(1 + shard % 2)", output: "parts").status == 0)
    }
    let merged = try bench.run("evaluate", "merge", "parts", "--output", "parts")
    #expect(merged.status == 0, "\(merged.errors)")
    for name in [
      "journal.jsonl", "report.md", "report.json", "pointing.csv", "hits-by-threshold.svg", "hits-by-threshold.png",
    ] {
      #expect(try bytes("parts/\(name)") == bytes("whole/\(name)"), "\(name)")
    }
  }

  /// A run that repeatedly meets a full disk, after or within a line of the journal, and is resumed gives the same
  /// result.
  @Test func killedRunsContinue() throws {
    #expect(try pointing(output: "whole").status == 0)
    let whole = try bytes("whole/journal.jsonl")
    let ends = whole.indices.filter { whole[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    #expect(ends.count == 13)
    for (lines, further) in [(0, 7), (1, 0), (2, 0), (2, 1), (5, 60), (6, 0), (9, 2), (12, 0), (12, 100)] {
      let written = (lines > 0 ? ends[lines - 1] : 0) + further
      // The limit makes writes beyond this length fail.
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments =
        [
          "prlimit", "--fsize=\(written)", Workbench.executable(named: "relevance").path,
          "evaluate", "pointing",
          Self.model, Self.scenes, "--output", bench.path("killed"), "--resume",
        ] + Self.pointing
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 73, "line \(lines)")
      #expect(try bytes("killed/journal.jsonl") == whole.prefix(written), "line \(lines), byte \(further)")
    }
    #expect(try pointing("--resume", output: "killed").status == 0)
    for name in ["journal.jsonl", "report.md", "report.json"] {
      #expect(try bytes("killed/\(name)") == bytes("whole/\(name)"), "\(name)")
    }
  }

  /// Each evaluation runs as a whole, in two shards that are merged, and again after an interruption within a line.
  @Test(arguments: EvaluationCatalog.types.map { $0.subcommand }) func everyEvaluationRunsAndMerges(name: String)
    throws
  {
    let own: [String: [String]] = [
      "units": ["--layer", "fc1", "--top", "3"], "grid": ["--grids", "2", "--confidence", "0.5"],
      "concepts": ["--layer", "relu_conv4_2", "--random-orders", "2"],
    ]
    let arguments =
      ["evaluate", name, Self.model, Self.scenes, "--limit", name == "grid" ? "40" : "4", "--resamples", "50"]
      + (name == "units" ? [] : ["--method", "lrp", "--method", "clrp2"]) + own[name, default: []]
    let whole = try bench.run(arguments + ["--output", "whole"])
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("| lrp |") && whole.output.contains("| clrp2 |"))
    for shard in ["1/2", "2/2"] {
      let part = try bench.run(arguments + ["--output", "parts", "--shard", shard])
      #expect(part.status == 0, "\(part.errors)")
    }
    let merged = try bench.run("evaluate", "merge", "parts", "--output", "parts", "--resamples", "50")
    #expect(merged.output == whole.output, "\(merged.errors)")
    let journal = try bytes("whole/journal.jsonl")
    let head = try #require(journal.firstIndex(of: UInt8(ascii: "\n")))
    try FileManager.default.createDirectory(atPath: bench.path("resumed"), withIntermediateDirectories: true)
    try journal.prefix((head + journal.count) / 2).write(to: URL(fileURLWithPath: bench.path("resumed/journal.jsonl")))
    let resumed = try bench.run(arguments + ["--output", "resumed", "--resume"])
    #expect(resumed.output == whole.output, "\(resumed.errors)")
    for file in ["journal.jsonl", "report.json"] {
      for folder in ["parts", "resumed"] { #expect(try bytes("\(folder)/\(file)") == bytes("whole/\(file)")) }
    }
  }

  /// Relevance ranks the channels of maps, fully connected layers, joined branches and a transformer's tokens better
  /// than activation and chance do, by more than the intervals.
  @Test(arguments: [
    ("vgg", "relu_conv4_2"), ("vgg", "relu_fc1"), ("googlenet", "inception_4b_concat"), ("vit", "block3_gelu"),
  ]) func relevanceFindsTheChannelsThatCount(network: String, layer: String) throws {
    let outcome = try bench.run(
      "evaluate", "concepts", Fixtures.path("digits/\(network)"), Self.scenes, "--layer", layer, "--limit", "40",
      "--output", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try #require(try JSONSerialization.jsonObject(with: bytes("out/report.json")) as? [String: Any])
    let tables = try #require(report["tables"] as? [[String: Any]])
    let rows = try #require(tables[0]["rows"] as? [[Any]])
    #expect(rows.map { $0[0] as? String } == ["lrp", "activation", "random"])
    for place in 2...3 {
      let high = try #require((rows[0][place] as? [String: Double])?["high"])
      #expect(high < 0, "\(network), \(layer), column \(place)")
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: bench.path("out")).filter { $0.hasSuffix(".svg") }
    #expect(files.sorted() == ["logit-by-channels.svg", "probability-by-channels.svg"])
    let chart = String(decoding: try bytes("out/logit-by-channels.svg"), as: UTF8.self)
    #expect(chart.contains("channels set to 0"))
  }

  @Test func gridsAreScaledForFullyConnectedNetworks() throws {
    // A scene has two classes, so the confidence of either is limited.
    let outcome = try evaluate("grid", "--grids", "3", "--confidence", "0.5", "--method", "lrp", output: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("layout scaled"))
  }

  @Test func figuresAreDrawn() throws {
    let outcome = try evaluate(
      "similarity", "--limit", "2", "--method", "lrp", "--method", "clrp1", "--figures", "1", "--random", "3",
      output: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let figures = try FileManager.default.contentsOfDirectory(atPath: bench.path("out/figures"))
    #expect(figures.count == 2 && figures.allSatisfy { $0.hasSuffix(".png") })
  }

  /// The run continues without damaged images and lists them.
  @Test func damagedImagesAreCounted() throws {
    let folder = URL(fileURLWithPath: Self.scenes).deletingLastPathComponent()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".png") }
      .sorted()
    try bench.write("not an image", to: "bad.png")
    try bench.write(
      "image,class\n\(folder.path)/\(names[0]),1\nbad.png,2\nmissing.png,3\n\(folder.path)/\(names[1]),4\n",
      to: "data.csv")
    let arguments = [
      "evaluate", "ablation", Self.model, "data.csv", "--method", "lrp", "--replace", "mean", "--output", "out",
    ]
    let outcome = try bench.run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("bad.png is left out"))
    #expect(outcome.errors.contains("missing.png is left out"))
    #expect(outcome.output.contains("2 of 4 items could not be evaluated"))
    #expect(try bench.run(arguments + ["--resume", "--strict"]).status == 65)
    try bench.write("image,class\nbad.png,2\n", to: "data.csv")
    let none = try bench.run("evaluate", "border", Self.model, "data.csv", "--method", "lrp", "--output", "none")
    #expect(none.status == 65)
    #expect(none.errorLines.last == "relevance: none of the 1 items could be evaluated")
  }

  @Test func mistakesAreOneLine() throws {
    #expect(try pointing(output: "out").status == 0)
    let again = try pointing(output: "out")
    #expect(again.status == 64 && again.errorLines.count == 1)
    #expect(again.errors.contains("journal.jsonl exists already; use --resume to continue it"))
    let other = try pointing("--resume", "--tolerance", "15", output: "out")
    #expect(other.status == 64 && other.errors.contains("it has tolerance 0.0, not 15.0"))
    for (arguments, status, message) in [
      (["pointing", Self.model, "nowhere"], 66, "nowhere"),
      (["pointing", Self.model, Self.scenes, "--shard", "5/4"], 64, "--shard is 5/4; expected i/n with 1 ≤ i ≤ n"),
      (["pointing", Self.model, Self.scenes, "--method", "lrp", "--method", "lrp"], 64, "--method lrp is given twice"),
      (["units", Self.model, Self.scenes, "--layer", "nothing"], 64, "nothing"),
      (["merge", "out"], 66, "expected journals of shards"),
      (["ablation", Self.model, Self.scenes, "--patch", "4"], 64, "expected an odd number of pixels"),
      (
        ["ablation", Self.model, Self.scenes, "--patch", "9223372036854775807"], 64, "expected an odd number of pixels"
      ),
      (["grid", Self.model, Self.scenes, "--cells", "4000000000"], 64, "--cells is 4000000000; expected 2 to 100"),
      (["border", Self.model, Self.scenes, "--width", "9223372036854775807"], 64, "expected 1 to 10000 pixels"),
      (["deletion", Self.model, Self.scenes, "--steps", "0"], 64, "--steps is 0; expected 1 to 10000"),
      (["concepts", Self.model, Self.scenes], 64, "Missing expected argument '--layer <node>'"),
      (["concepts", Self.model, Self.scenes, "--layer", "relu_conv4_3"], 64, "did you mean relu_conv4_1"),
      (
        ["concepts", Self.model, Self.scenes, "--layer", "logits"], 64,
        "do not depend on node logits; expected a node between the input and the logits"
      ),
      (["concepts", Self.model, Self.scenes, "--layer", "fc1", "--steps", "0"], 64, "--steps is 0; expected 1 to 100"),
      (
        ["concepts", Self.model, Self.scenes, "--layer", "fc1", "--random-orders", "1001"], 64,
        "--random-orders is 1001; expected 1 to 1000"
      ),
      (
        ["concepts", Self.model, Self.scenes, "--layer", "fc1", "--method", "grad-cam"], 64,
        "does not compute relevance of channels; expected methods such as lrp, clrp1, clrp2 or gradient"
      ),
      (["pointing", Self.model, Self.scenes, "--shard", "1/9223372036854775807"], 64, "expected i/n"),
    ] as [([String], Int32, String)] {
      let outcome = try bench.run(["evaluate"] + arguments + ["--output", "other"])
      #expect(outcome.status == status, "\(arguments): \(outcome.status) \(outcome.errors)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  /// A modified journal gives an error, not a crash.
  @Test(arguments: [
    (#""methods":["random","#, #""methods":["random","random","#), (#""items":12"#, #""items":9000000000000000000"#),
    (#""items":12"#, #""items":-1"#), (#""classIndex":"#, #""classIndex":-"#),
    (#""classIndex":"#, #""classIndex":99999999"#),
    (#""scores":[{"#, #""scores":[],"others":[{"#), (#""shard":"1/1""#, #""shard":"2/1""#),
  ]) func changedJournalsAreRefused(old: String, new: String) throws {
    #expect(try pointing(output: "out").status == 0)
    let text = String(decoding: try bytes("out/journal.jsonl"), as: UTF8.self)
    #expect(text.contains(old))
    try FileManager.default.createDirectory(atPath: bench.path("changed"), withIntermediateDirectories: true)
    try bench.write(text.replacing(old, with: new), to: "changed/journal-1-of-1.jsonl")
    let outcome = try bench.run("evaluate", "merge", "changed", "--output", "merged")
    #expect([64, 65].contains(outcome.status) && outcome.errorLines.count == 1, "\(outcome.status) \(outcome.errors)")
  }
}
