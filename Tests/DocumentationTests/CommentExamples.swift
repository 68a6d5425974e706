import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples in comments of the sources.
@Suite struct CommentExamples {
  @Test func ruleTable() throws {
    let table = RuleTable(name: "mine", pixelRange: .imageNet) {
      RuleTable.Row(.operators(.conv, position: .first), ZBoxRule())
      RuleTable.Row(.name("features.*"), GammaRule(gamma: 0.1))
      RuleTable.default(pixelRange: nil)
    }
    #expect(try table.resolve(for: Scene().model.network).assignments[0].rule is ZBoxRule)
  }

  @Test func ruleText() throws {
    let rules = try RuleCatalog.standard.rules(parsing: "epsilon:e=1e-3..1x4")
    #expect(rules.compactMap { ($0 as? EpsilonRule)?.epsilon } == [0.001, 0.01, 0.1, 1])
  }

  @Test func ruleLab() throws {
    let scene = try Scene()
    let (explainer, image) = (scene.explainer, scene.input)
    let lab = RuleLab(try explainer.trace(image))
    let seen = try lab.experiment(
      [ZPlusRule(), GammaRule(), EpsilonRule()], at: "conv4_2", seed: .relevance(of: .class(8)))
    for one in seen { print(one.rule, one.sum, one.giniCoefficient, one.compared(with: seen[0]).cosine) }
    #expect(seen.count == 3)
  }

  @Test func unitStudy() throws {
    let scene = try Scene()
    let (explainer, image) = (scene.explainer, scene.input)
    let study = try UnitStudy(try explainer.trace(image), at: "fc1")
    for (unit, group) in zip(study.units, study.clusters.groups) { print(unit.channel, unit.activation, group) }
    print(study.ablation.ownShare, study.ablation.meanOwnDrop, study.ablation.meanOtherDrop)
    #expect(study.units[0].channel == 39)
  }
}
