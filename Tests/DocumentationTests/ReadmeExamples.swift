import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of the README and of the articles “Methods, rules and tables”, “Compare rules on one layer” and “Coming from Captum, …”.
@Suite struct ReadmeExamples {
  @Test func inSwift() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    let image = try RGBImage(contentsOf: at("Fixtures/digits/scenes/005.png"))
    let trace = try Explainer(model).trace(image)
    let explanation = try trace.explain(.top(1), by: .clrp1)
    print(explanation.target, explanation.score, explanation.relevance.shape)
    let heatmap = try Heatmap(explanation.relevance, colors: explanation.method.heatmapColors)
    try heatmap.overlay(on: model.preprocessing.visible(image)).writePNG(to: at("explanation.png"))
    try NumPyFile.write(explanation.relevance, to: at("map.npy"))

    #expect(explanation.target == .class(8) && explanation.method is CLRP1)
    #expect(explanation.relevance.shape == [1, 3, 64, 64])
    #expect(try RGBImage(contentsOf: at("explanation.png")).width == 64)
    #expect(try NumPyFile.read(at("map.npy")) == explanation.relevance)
  }

  @Test func tables() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    let image = try RGBImage(contentsOf: at("Fixtures/digits/scenes/005.png"))
    do {
      let pixels = model.preprocessing.pixelRange
      let table = RuleTable(name: "mine", pixelRange: pixels) {
        RuleTable.Row(.name("conv4_*"), GammaRule(gamma: 0.1))
        RuleTable.default(pixelRange: pixels)
      }
      #expect(try table.resolve(for: model.network).description.contains("gamma(gamma: 0.1)"))
    }
    let table = RuleTable(name: "mine", pixelRange: model.preprocessing.pixelRange) {
      RuleTable.Row(.operators(.conv), EpsilonRule(epsilon: 1e-6))
      RuleTable.default(pixelRange: model.preprocessing.pixelRange)
    }
    let attribution = try Explainer(model, rules: table).explain(image, .class(8), by: .lrp).relevance
    #expect(attribution.shape == [1, 3, 64, 64])
  }

  @Test func rulesOnOneLayer() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    let image = try RGBImage(contentsOf: at("Fixtures/digits/scenes/005.png"))
    let trace = try Explainer(model).trace(image)
    let rules: [any Rule] = [ZPlusRule(), GammaRule(gamma: 0.1), EpsilonRule(epsilon: 0.1)]
    for result in try RuleLab(trace).experiment(rules, at: "conv4_2", seed: .relevance(of: .class(8))) {
      print(result.rule, result.sum, result.giniCoefficient, result.ledger.losses)
    }

    let weight = Tensor(shape: [1, 2], elements: [2, -1])
    let lab = try RuleLab(layer: .linear(weight: weight), operand: Tensor(shape: [1, 2], elements: [1, 1]))
    print(try lab.experiment([ZRule()], at: "layer", seed: .unit(channel: 0))[0].relevance.elements)
    let shares = try lab.experiment([ZRule()], at: "layer", seed: .unit(channel: 0))[0].relevance.elements
    #expect(shares == [2, -1])
  }
}
