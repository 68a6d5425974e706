import RelevanceKit
import RelevanceTestSupport
import Testing

/// Another table for the same network, with shared threads and weights.
@Suite struct ReplacedRulesTests {
  private static let model = try? Model(contentsOf: Fixtures.path("digits/vgg"))

  @Test(arguments: ["EpsilonPlus", "EpsilonGammaBox", "ExcitationBackprop"]) func explainsLikeASeparateExplainer(
    name: String
  ) throws {
    let model = try #require(Self.model)
    let image = try RGBImage(contentsOf: Fixtures.path("digits/scenes/005.png"))
    let table = try #require(RuleTable.preset(name, pixelRange: model.preprocessing.pixelRange))
    let first = try Explainer(model)
    let replaced = try first.replacingRules(with: table)
    #expect(replaced.plan.table.name == name && first.plan.table.name == "default")
    let expected = try Explainer(model, rules: table).explain(image, .class(8))
    // Compares maps without printing them in failures.
    func areEqual(_ a: Explanation, _ b: Explanation) -> Bool { a.relevance.elements == b.relevance.elements }
    #expect(areEqual(try replaced.explain(image, .class(8)), expected))
    // The first explainer is unchanged.
    let own = try Explainer(model).explain(image, .class(8))
    #expect(areEqual(try first.explain(image, .class(8)), own))
    #expect(!areEqual(own, expected))
  }

  @Test func memoryIsAtLeastThatOfTheValues() throws {
    let model = try #require(Self.model)
    let trace = try Explainer(model).trace(RGBImage(contentsOf: Fixtures.path("digits/scenes/005.png")))
    let before = trace.memoryUse
    // The values of conv1_1 alone are 16×64×64.
    #expect(before >= 4 * 16 * 64 * 64)
    _ = try trace.explain(.class(8), by: .lrp)
    #expect(trace.memoryUse >= before)
  }
}
