import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of the README.
@Suite struct ReadmeExamples {
  @Test func asADependency() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("../RelevanceKit/Fixtures/digits/vgg"))
    let image = try RGBImage(contentsOf: at("../RelevanceKit/Fixtures/digits/scenes/005.png"))
    let explainer = try Explainer(model)
    let explanation = try explainer.explain(image, .top(1), by: .clrp1)

    print(explanation.target, explanation.score, explanation.relevance.shape)
    for entry in explanation.ledger { print(entry.node, entry.rule, entry.relevanceIn, entry.absorbed) }
    let heatmap = try Heatmap(explanation.relevance, colors: explanation.method.heatmapColors)
    let overlay = heatmap.overlay(on: try model.preprocessing.visible(image))
    try overlay.writePNG(to: at("explanation.png"))
    try heatmap.image(pixelsPerPosition: 4).writePNG(to: at("map.png"))
    try NumPyFile.write(explanation.relevance, to: at("map.npy"))

    let trace = try explainer.trace(image)
    let pair = try trace.explain([.top(1), .unit(node: "conv4_2", channel: 3)], by: .clrp2)
    print(explainer.plan)
    #expect(explanation.target == .class(8) && explanation.method is CLRP1)
    #expect(pair.count == 2 && explanation.relevance.shape == [1, 3, 64, 64])
    #expect(try RGBImage(contentsOf: at("explanation.png")).width == 64)
    #expect(try RGBImage(contentsOf: at("map.png")).width == 256)
    #expect(try NumPyFile.read(at("map.npy")) == explanation.relevance)

    let pixels = model.preprocessing.pixelRange
    let table = RuleTable(name: "mine", pixelRange: pixels) {
      RuleTable.Row(.name("conv4_*"), GammaRule(gamma: 0.1))
      RuleTable.default(pixelRange: pixels)
    }
    #expect(try table.resolve(for: model.network).description.contains("gamma(gamma: 0.1)"))

    let seen = try RuleLab(trace).experiment([ZPlusRule(), GammaRule()], at: "conv4_2", seed: .relevance(of: .top(1)))
    print(seen[1].sum, seen[1].giniCoefficient, seen[1].ledger.losses, seen[1].compared(with: seen[0]).cosine)
    let weight = Tensor(shape: [1, 2], elements: [2, -1])
    let lab = try RuleLab(layer: .linear(weight: weight), operand: Tensor(shape: [1, 2], elements: [1, 1]))
    print(try lab.experiment([ZRule()], at: "layer", seed: .unit(channel: 0))[0].relevance.elements)
    let shares = try lab.experiment([ZRule()], at: "layer", seed: .unit(channel: 0))[0].relevance.elements
    #expect(shares == [2, -1])

    let study = try UnitStudy(trace, at: "fc1")
    print(study.units.map(\.channel), study.clusters.members, study.ablation.ownShare, study.ablation.drops)
    #expect(study.units.count == 8)
  }
}
