import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of “Bring your model” and of “Performance”.
@Suite struct ModelExamples {
  @Test func reading() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    print(model.network.inputShape, model.exampleInputShape)
    print(model.preprocessingFile ?? "assumed", model.preprocessing.pixelRange)
    print(model.labels?[8] ?? "no name")
    for node in model.network.graph.nodes { print(node.name, node.kind) }
    #expect("\(model.network.inputShape)" == "batch×3×64×64" && model.labels?[8] == "8")
    #expect(model.preprocessing.pixelRange.lower == [-1, -1, -1] && model.network.graph.nodes.count == 27)
  }

  @Test func writing() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))

    let folded = try model.network.foldingBatchNormalization()
    let summary = try ONNXWriter().write(folded, to: at("canonical.onnx"))
    print(summary.opset, summary.modelBytes, summary.weightBytes)
    #expect(summary.opset == 17 && FileManager.default.fileExists(atPath: at("canonical.onnx.data")))
    let input = try Scene().input
    let (before, after) = try (
      Executor(model.network).logits(input), Executor(NeuralNetwork(contentsOf: at("canonical.onnx"))).logits(input)
    )
    #expect(after.relativeDistance(from: before) < 1e-5)
  }

  @Test func withoutFiles() throws {
    let at = try Place()
    let network = try NeuralNetwork(contentsOf: at("Fixtures/digits/vgg/model.onnx"))
    let quarter = [0.25, 0.25, 0.25]
    let preprocessing = Preprocessing(
      resize: .exact(width: 64, height: 64), crop: nil, mean: quarter, standardDeviation: quarter)
    let explainer = try Explainer(network, preprocessing: preprocessing)
    #expect(try Preprocessing(contentsOf: at("Fixtures/digits/vgg/preprocessor_config.json")) == preprocessing)
    #expect(explainer.plan.assignments.count == 26)
  }

  @Test func tableWithGaps() throws {
    let table = try RuleTable(
      yaml: "{name: mine, rules: [{op: [Conv, Gemm], rule: zPlus}, {op: Relu, rule: pass}]}", pixelRange: .imageNet)
    let network = try Scene().model.network
    let error = #expect(throws: (any Error).self) { try table.resolve(for: network) } as? any RelevanceKitError
    let pools = "pool1 (MaxPool), pool2 (MaxPool), pool3 (MaxPool), pool4 (MaxPool)"
    #expect(error?.description == "rule table mine: no row matches 4 nodes: \(pools)")
  }

  @Test func manyTargets() throws {
    let scene = try Scene()
    let (model, input) = (scene.model, scene.input)

    let rules = RuleTable.default(pixelRange: model.preprocessing.pixelRange)
    let explainer = try Explainer(model.network, rules: rules, memoryBudget: 1 << 30)
    let trace = try explainer.trace(input)
    let classes = (0..<10).map { Target.class($0) }
    let all = try trace.explain(classes, by: .clrp1, ledger: false)
    let eight = try scene.trace.explain(.class(8), by: .clrp1)
    // Not bit by bit: a matrix product can round differently in a batch.
    #expect(all.count == 10 && all[8].relevance.relativeDistance(from: eight.relevance) <= 1e-5)
  }
}
