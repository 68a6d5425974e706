import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance explain --through` and `--at`, and `relevance concepts`.
@Suite struct ConditionToolTests {
  /// The map of the relevance through channels, and the relevance of a layer, are those of the library.
  @Test func conditionsAndLayers() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", "model", "input.npy", "--target", "class:5", "--method", "lrp", "--through", "y/0+1", "--at", "y",
      "--ledger", "--output", "out")
    #expect(outcome.status == 0)
    let name = "class5.lrp.through-y_0+1"
    #expect(
      bench.contents(of: "out/input") == [
        "\(name).at-y.npy", "\(name).at-y.png", "\(name).npy", "\(name).png", "maps.png",
      ])
    let model = try Model(contentsOf: bench.path("model"))
    let trace = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
      .trace(NumPyFile.read(bench.path("input.npy")))
    let conditions = [Condition.channels([0, 1], of: "y")]
    let expected = try trace.explain(.class(5), through: conditions)
    let map = try NumPyFile.read(bench.path("out/input/\(name).npy"))
    #expect(map == expected.relevance.reshaped(to: map.shape))
    let layer = try trace.relevance(of: .class(5), at: "y", through: conditions)
    let found = try NumPyFile.read(bench.path("out/input/\(name).at-y.npy"))
    #expect(found == layer.reshaped(to: found.shape) && found.shape.rank == layer.shape.rank - 1)
    #expect(outcome.output.contains("class:5 (coffee mug) by lrp through y/0+1: out/input/\(name).*"))
    #expect(outcome.output.contains("at y, ") && outcome.output.contains("CHANNEL"))

    struct Conditional: Decodable {
      struct Layer: Decodable {
        let node: String
        let channels: [ChannelRelevance]
      }
      struct Entry: Decodable {
        let through: [Condition]
        let isExclusive: Bool
        let layers: [Layer]
      }
      struct Input: Decodable { let explanations: [Entry] }
      let inputs: [Input]
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: bench.path("out/report.json")))
    let entry = try #require(JSONDecoder().decode(Conditional.self, from: data).inputs.first?.explanations.first)
    #expect(entry.through == conditions && entry.isExclusive)
    #expect(entry.layers.map(\.node) == ["y"])
    #expect(entry.layers[0].channels == (try trace.channels(of: "y", for: .class(5), through: conditions))[0])
  }

  /// The page names the conditions of its maps.
  @Test func pagesNameConditions() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", "model", "input.npy", "--target", "class:5", "--method", "lrp", "--through", "y/0+1", "--no-exclusive",
      "--save", "html", "--output", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let page = try String(contentsOfFile: bench.path("out/input/explanation.html"), encoding: .utf8)
    #expect(page.contains("<h4>lrp through y/0+1, and past it</h4>"))
  }

  @Test(arguments: [
    ("y", "expected NODE/CHANNEL, or NODE/3+7 for several channels"), ("nowhere/1", "nowhere"),
    ("y/1000", "no channel 1000"),
  ])
  func invalidConditions(condition: String, words: String) throws {
    let bench = try Workbench()
    let outcome = try bench.run("explain", "model", "input.npy", "--through", condition)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(words))
  }

  /// The channels of a layer, and the maps of the relevance through each, are those of the library.
  @Test(arguments: [false, true]) func concepts(contrasts: Bool) throws {
    let bench = try Workbench()
    try ONNXWriter().write(CornerNetwork.network(), to: bench.path("corners.onnx"))
    try NumPyFile.write(CornerNetwork.input(), to: bench.path("corners.npy"))
    let network = try NeuralNetwork(contentsOf: bench.path("corners.onnx"))
    let trace = try Explainer(network, rules: .epsilonPlus).trace(CornerNetwork.input())
    let ranks = trace.predictions().map(\.classIndex)
    let method: any AttributionMethod = contrasts ? CLRP1(against: .classes([ranks[1]])) : LRP()
    let study = try ConceptStudy(trace, at: "relu2", for: .class(ranks[0]), by: method, count: 2)
    #expect(study.concepts.count == 2)
    let outcome = try bench.run(
      [
        "concepts", "corners.onnx", "corners.npy", "--layer", "relu2", "--top", "2", "--rules", "EpsilonPlus",
        "--output",
        "out",
      ] + (contrasts ? ["--against", "class:\(ranks[1])"] : []))
    #expect(outcome.status == 0)
    let name = "class\(ranks[0])." + (contrasts ? "clrp1-against-\(ranks[1])" : "lrp")
    let files = study.concepts.map { "corners/\(name).through-relu2_\($0.channel.channel).npy" }
    #expect(bench.contents(of: "out") == ["corners"] + (files + ["corners/concepts.png"]).sorted() + ["report.json"])
    for (file, concept) in zip(files, study.concepts) {
      let map = try NumPyFile.read(bench.path("out/\(file)"))
      #expect(map == concept.explanation.relevance.reshaped(to: map.shape))
      #expect(outcome.output.contains(String(format: "%.4g", concept.channel.relevance)))
      // The relevance of a unit is in its corner.
      let corner = CornerNetwork.corner(of: concept.channel.channel)
      let own = corner.rows.reduce(0.0) { sum, row in
        corner.columns.reduce(sum) { sum, column in (0..<3).reduce(sum) { $0 + Double(map[$1, row, column]) } }
      }
      if !contrasts { #expect(own > 0.9 * map.sum()) }
    }
    struct Report: Decodable {
      struct Input: Decodable { let channels: [ChannelRelevance] }
      let layer: String
      let inputs: [Input]
    }
    let report = try JSONDecoder().decode(
      Report.self, from: Data(contentsOf: URL(fileURLWithPath: bench.path("out/report.json"))))
    #expect(report.layer == "relu2" && report.inputs[0].channels == study.channels)
    #expect(try RGBImage(contentsOf: bench.path("out/corners/concepts.png")).width >= 180)
  }

  @Test(arguments: [
    (["--layer", "nowhere"], 64, "nowhere"), (["--layer", "y", "--top", "0"], 64, "--top is 0"),
    (["--layer", "y", "--target", "top:3"], 64, "stands for 3 targets"),
    (["--layer", "y", "--target", "class:5", "--against", "class:5"], 64, "contrasts class 5 with itself"),
    (["--layer", "y", "--against", "unit:y/3"], 64, "expected class:N or label:NAME"),
  ])
  func invalidConcepts(options: [String], status: Int, words: String) throws {
    let bench = try Workbench()
    let outcome = try bench.run(["concepts", "model", "input.npy"] + options)
    #expect(outcome.status == status)
    #expect(outcome.errors.contains(words))
  }
}
