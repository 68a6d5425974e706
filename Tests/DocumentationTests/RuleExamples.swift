import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of “Choose rules”.
@Suite struct RuleChoiceExamples {
  @Test func tablesByName() throws {
    let scene = try Scene()
    let (model, input) = (scene.model, scene.input)

    let pixels = model.preprocessing.pixelRange
    let box = BoundingBox(left: 31, top: 24, right: 45, bottom: 47)
    let eight = try Region([box], height: 64, width: 64)
    for name in RuleTable.presetNames {
      guard let table = RuleTable.preset(name, pixelRange: pixels) else { continue }
      let explainer = try Explainer(model.network, rules: table)
      let explanation = try explainer.trace(input).explain(.class(8), by: .lrp)
      let share = try PointingScore(SaliencyMap(explanation), in: eight).energyShare
      print(name, explanation.relevance.sum(), share, explainer.plan.warnings)
    }
    // The numbers in the article's table: the sum, the share, and whether there is a warning.
    let expected: [String: (sum: Double, share: Double, isWarned: Bool)] = [
      "default": (14.15, 0.60, false), "paper": (14.15, 0.60, false), "ExcitationBackprop": (12.94, 0.62, true),
      "EpsilonPlus": (12.41, 0.97, true), "EpsilonPlusFlat": (12.46, 0.95, false),
      "EpsilonGamma": (11.98, 0.98, false), "EpsilonGammaBox": (11.77, 0.98, false),
      "EpsilonAlpha2Beta1": (12.34, 0.91, true),
      "EpsilonAlpha2Beta1Flat": (11.95, 0.94, false),
      "AttnLRP": (10.42, 0.72, false), "CP-LRP": (10.42, 0.72, false), "ViT": (12.13, 0.97, false),
    ]
    #expect(RuleTable.presetNames.sorted() == expected.keys.sorted())
    for (name, expected) in expected {
      let table = try #require(RuleTable.preset(name, pixelRange: pixels))
      let explainer = try Explainer(model.network, rules: table)
      let explanation = try explainer.trace(input).explain(.class(8), by: .lrp)
      let share = try PointingScore(SaliencyMap(explanation), in: eight).energyShare
      #expect(isNear(explanation.relevance.sum(), expected.sum, within: 0.007), "\(name)")
      #expect(isNear(share, expected.share, within: 0.007), "\(name)")
      #expect(explainer.plan.warnings.isEmpty != expected.isWarned, "\(name)")
    }
  }

  @Test func customTable() throws {
    let scene = try Scene()
    let model = scene.model
    let at = try Place()

    let pixels = model.preprocessing.pixelRange
    let table = RuleTable(name: "mine", pixelRange: pixels) {
      RuleTable.Row(.name("conv4_*"), GammaRule(gamma: 0.1))
      RuleTable.Row(.operators(.gemm, position: .last), EpsilonRule(epsilon: 0.01))
      RuleTable.default(pixelRange: pixels)
    }
    let plan = try table.resolve(for: model.network)
    print(plan)
    let logits = try model.network.graph.requiredNode(named: "logits")
    print(plan.reason(for: logits))
    #expect(plan.reason(for: logits).hasPrefix("logits (Gemm): rule epsilon(epsilon: 0.01), from row 2: Gemm, last"))
    #expect(
      plan.reason(for: logits).contains(
        "not row 1: name conv4_*: gamma(gamma: 0.1): the name does not match the pattern"))

    try table.yaml().write(toFile: at("mine.yaml"), atomically: true, encoding: .utf8)
    let read = try RuleTable(contentsOf: at("mine.yaml"), pixelRange: pixels)
    #expect(read.rows.map(\.description) == table.rows.map(\.description))
  }

  @Test func rulesOnOneLayer() throws {
    let trace = try Scene().trace
    let sweep = try RuleCatalog.standard.rules(parsing: "gamma:gamma=0.1..10x3")
    let rules: [any Rule] = [ZPlusRule(), AlphaBetaRule()] + sweep
    let lab = RuleLab(trace)
    let seen = try lab.experiment(rules, at: "conv4_2", seed: .relevance(of: .class(8)))
    for one in seen {
      print(one.rule, one.sum, one.negativeShare, one.compared(with: seen[0]).cosine)
    }
    #expect(seen.map(\.rule).last == "gamma(gamma: 10)")
    #expect(isNear(seen[1].negativeShare, 0.224) && isNear(seen[4].compared(with: seen[0]).cosine, 1.000))
  }
}

/// Distributes relevance to inputs in proportion to the magnitude of their contributions, regardless of sign:
/// `R_i = Σ_j x_i |w_ij| / Σ_i' x_i' |w_i'j| · R_j` for inputs `x ≥ 0`.
struct Absolute: ContributionRule {
  var description: String { "absolute" }

  func contributions(at site: RuleSite) -> [Contributions] {
    let size = WeightPart.scaled(positive: 1, negative: -1)
    return [Contributions([Term(.positiveOperand, size)], stabilizer: .positive(1e-9))]
  }
}

extension Absolute: NamedRule {
  static let name = "absolute"
}

/// Passes a share of the relevance through a rectifier, and absorbs the rest.
struct Discount: Rule {
  let share: Float
  var description: String { "discount(share: \(share))" }

  func objection(at site: RuleSite) -> String? { site.objection(unless: [.relu]) }

  func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let passed = relevance.map { share * $0 }
    return [passed]
  }
}

/// The examples of “Write a rule”.
@Suite struct RuleWritingExamples {
  @Test func contributionRule() throws {
    let trace = try Scene().trace

    let rules: [any Rule] = [ZPlusRule(), Absolute()]
    let arriving = RuleLab.Seed.relevance(of: .class(8))
    let seen = try RuleLab(trace).experiment(rules, at: "conv4_2", seed: arriving)
    print(seen[1].sum, seen[1].ledger.losses, seen[1].compared(with: seen[0]).cosine)
    #expect(isNear(seen[1].sum, 14.221) && isNear(seen[1].compared(with: seen[0]).cosine, 0.975))

    let weight = Tensor(shape: [1, 2], elements: [2, -1])
    let ones = Tensor(shape: [1, 2], repeating: 1)
    let lab = try RuleLab(layer: .linear(weight: weight), operand: ones)
    let seed = RuleLab.Seed.tensor(Tensor(shape: [1, 1], elements: [3]))
    let shares = try lab.experiment([Absolute()], at: "layer", seed: seed)[0]
    print(shares.relevance.elements)
    #expect(zip(shares.relevance.elements, [2, 1]).allSatisfy { isNear($0, $1) })
  }

  @Test func namedRule() throws {
    let scene = try Scene()
    let (model, input) = (scene.model, scene.input)

    let table = try RuleTable(
      yaml: """
        name: mine
        extends: default
        rules:
          - {op: Conv, name: "conv4_*", rule: absolute}
        """, pixelRange: model.preprocessing.pixelRange, catalog: .standard.adding(Absolute.self))
    let explainer = try Explainer(model.network, rules: table)
    let explanation = try explainer.trace(input).explain(.class(8))
    print(explanation.relevance.sum(), explanation.ledger.losses)
    #expect(explanation.ledger["conv4_2"]?.rule == "absolute")
    #expect(isNear(explanation.relevance.sum() + explanation.ledger.absorbed, explanation.score))
  }

  @Test func anyRule() throws {
    let scene = try Scene()
    let (model, input) = (scene.model, scene.input)

    let standard = RuleTable.default(pixelRange: model.preprocessing.pixelRange)
    let row = RuleTable.Row(.name("relu_fc1"), Discount(share: 0.9))
    let table = standard.prepending(row)
    let explainer = try Explainer(model.network, rules: table)
    let explanation = try explainer.trace(input).explain(.class(8))
    print(explanation.ledger["relu_fc1"]?.losses ?? [:])
    #expect(isNear(explanation.ledger["relu_fc1"]?.losses[.rule] ?? 0, 1.422))
    #expect(throws: (any Error).self) {
      try RuleTable(name: "wrong", rows: [RuleTable.Row(.name("fc1"), Discount(share: 0.9))] + table.rows)
        .resolve(for: model.network)
    }
  }
}
