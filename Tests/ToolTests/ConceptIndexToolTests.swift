import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance concepts index` on scenes of two digits, with a network that was trained on such scenes.
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

  /// A run that is killed repeatedly and resumed gives the same result.
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
      ([], 64, "exists already; use --resume to continue it, or another --output to start again"),
      (["--resume", "--top", "3"], 64, "cannot be continued: it has top 8, not 3"),
      (["--output", "other", "--top", "0"], 64, "--top is 0; expected 1 to 1000 images"),
      (["--output", "other", "--layer", "relu_conv4_2"], 64, "--layer relu_conv4_2 is given twice"),
      (["--output", "other", "--layer", "conf3"], 64, "conf3"),
      (["--output", "other", "--method", "grad-cam"], 64, "does not propagate relevance"),
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

  private func show(_ arguments: String..., output: String) throws -> Outcome {
    try bench.run(
      ["concepts", Self.model, Fixtures.path("digits/scenes/001.png"), "--layer", "relu_conv4_2", "--output", output]
        + arguments)
  }

  @Test func conceptsHaveTheirReferences() throws {
    #expect(try index(output: "index").status == 0)
    let outcome = try show("--index", "index", "--top", "3", "--save", "png,html,json", output: "out")
    #expect(outcome.status == 0 && outcome.output.contains("REFERENCES"), "\(outcome.errors)")
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(bench.contents(of: "out") == ["001", "001/concepts.html", "001/concepts.png", "report.json"])
    struct Report: Decodable {
      struct Example: Decodable {
        let input: String
        let target: String
        let value: Float
        let position: [Int]
      }
      struct Concept: Decodable {
        let channel: ChannelRelevance
        let references: [Example]
      }
      struct Entry: Decodable { let concepts: [Concept] }
      let inputs: [Entry]
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: bench.path("out/report.json")))
    let concepts = try #require(JSONDecoder().decode(Report.self, from: data).inputs.first).concepts
    let found = try ConceptIndex(contentsOf: bench.path("index"))
    let layer = try #require(found["relu_conv4_2"])
    #expect(concepts.count == 3)
    for concept in concepts {
      let expected = layer.references(of: concept.channel.channel).filter { $0.value > 0 }.prefix(6)
      #expect(concept.references.map(\.value) == expected.map(\.value))
      #expect(concept.references.map(\.input) == expected.map { found.inputs[$0.input] })
      #expect(concept.references.map(\.target) == expected.map { "class:\($0.classIndex)" })
      #expect(concept.references.map(\.position) == expected.map(\.position))
    }
  }

  @Test func indexesOfOtherLayersAndNetworksAreRefused() throws {
    #expect(try index(output: "index").status == 0)
    let other = try bench.run(
      "concepts", Self.model, Fixtures.path("digits/scenes/001.png"), "--layer", "relu_conv3_2", "--index", "index")
    #expect(
      other.status == 64
        && other.errors.contains("index: expected an index of relu_conv3_2, found one of relu_conv4_2"),
      "\(other.errors)")
    let network = try bench.run(
      "concepts", Fixtures.path("digits/googlenet"), Fixtures.path("digits/scenes/001.png"), "--layer", "pool1",
      "--index", "index")
    #expect(network.status == 64 && network.errorLines.count == 1, "\(network.errors)")
    let none = try show("--index", "nowhere", output: "out")
    #expect(
      none.status == 66 && none.errors.contains("nowhere/index.json: no such concept index"), "\(none.errors)")
    // A missing image is left out with a note.
    try bench.write("image,class\ngone.png,3\n", to: "data.csv")
    try FileManager.default.copyItem(
      atPath: Fixtures.path("digits/scenes/001.png"), toPath: bench.path("gone.png"))
    let made = try bench.run(
      "concepts", "index", Self.model, "data.csv", "--layer", "relu_conv4_2", "--output", "small")
    #expect(made.status == 0, "\(made.errors)")
    try FileManager.default.removeItem(atPath: bench.path("gone.png"))
    let shown = try show("--index", "small", "--save", "png,html,json", output: "without")
    #expect(shown.status == 0 && shown.errors.contains("gone.png is not shown"), "\(shown.errors)")
  }

  @Test func graphsAreWritten() throws {
    let outcome = try show(
      "--below", "relu_conv3_2", "--below", "relu_conv2_1", "--branches", "2", "--top", "3", "--target",
      "unit:relu_fc1/7", "--save", "svg,json", output: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let svg = try String(contentsOfFile: bench.path("out/001/graph.svg"), encoding: .utf8)
    #expect(svg.contains("<svg") && svg.contains("channel 7") && svg.contains("relu_conv2_1"))
    struct Report: Decodable {
      struct Entry: Decodable { let graph: AttributionGraph }
      let inputs: [Entry]
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: bench.path("out/report.json")))
    let graph = try #require(JSONDecoder().decode(Report.self, from: data).inputs.first).graph
    #expect(graph.layers == ["relu_conv4_2", "relu_conv3_2", "relu_conv2_1"] && graph.target == "unit:relu_fc1/7")
    #expect(graph.vertices.count { $0.level == 1 } == 3)
    let wrong = try show("--below", "relu_fc1", output: "wrong")
    #expect(
      wrong.status == 64
        && wrong.errors.contains("no relevance is propagated from node relu_conv4_2 to node relu_fc1"),
      "\(wrong.errors)")
  }

  /// The atlas of two layers, and the page of a prediction.
  @Test(.enabled(if: Browser.isInstalled, "there is no Chromium, or no Python"))
  func pagesWorkInABrowser() throws {
    let made = try index("--layer", "relu_fc1", "--concept-page", "--page-top", "3", output: "index")
    #expect(made.status == 0, "\(made.errors)")
    let page = try String(contentsOfFile: bench.path("index/concepts.html"), encoding: .utf8)
    #expect(HTMLOutline(page).problems == [])
    for text in ["http:", "https:", "<link", "@import", "fetch(", "XMLHttpRequest"] {
      #expect(!page.contains(text), "\(text)")
    }
    let atlas = try Browser.check(bench.path("index/concepts.html"), by: "check_concepts.py")
    #expect(atlas.status == 0, "\(atlas.text)")
    let shown = try show("--index", "index", "--save", "html", output: "out")
    #expect(shown.status == 0, "\(shown.errors)")
    let decision = try Browser.check(bench.path("out/001/concepts.html"), by: "check_concepts.py")
    #expect(decision.status == 0, "\(decision.text)")
    // Writing the page again from the existing index gives the same bytes.
    let again = try index("--layer", "relu_fc1", "--concept-page", "--page-top", "3", "--resume", output: "index")
    #expect(again.status == 0, "\(again.errors)")
    #expect(try String(contentsOfFile: bench.path("index/concepts.html"), encoding: .utf8) == page)
  }
}
