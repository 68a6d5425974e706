import Foundation
import RelevanceKit
import TestSupport
import Testing

/// What `Documentation/transformers.md` says of methods on the digit transformer, on a part of the scenes.
@Suite struct DigitTransformerEvaluationTests {
  /// The methods by falling share of the energy that is in the box of the digit.
  private static let order: [any AttributionMethod] = [
    LRP(), LayerCAM(), GradientTimesAttention(), GradientTimesInput(), GradCAM(), AttentionRollout(), RandomMap(),
  ]

  private static func records(_ table: RuleTable, _ methods: [any AttributionMethod]) throws -> [Pointing.Record.Target]
  {
    let model = try Model(contentsOf: Fixtures.path("digits/vit"))
    let classes = ClassNames(names: model.labels?.names ?? [:], count: 10)
    let data = try DataSet.load(Fixtures.path("digits/scenes/instances.json"), classes: classes)
    let subject = Subject(try Explainer(model, rules: table), methods: methods)
    let pointing = try Pointing().prepared(subject, on: data.sample(40, seed: 0))
    let scratch = try Fixtures.Scratch()
    let journal = try pointing.run(journal: scratch.path("pointing.jsonl"))
    return journal.records(Pointing.Record.self).flatMap(\.record.targets)
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  @Test func methodsKeepTheirOrder() throws {
    let targets = try Self.records(.viT, Self.order)
    #expect(targets.count == 80)
    let shares = Self.order.indices.map { method in Self.mean(targets.map { $0.scores[method].energyShare }) }
    for (better, worse) in zip(Self.order.indices, Self.order.indices.dropFirst()) {
      #expect(shares[better] > shares[worse] + 0.03, "\(Self.order[better]) and \(Self.order[worse]): \(shares)")
    }
    #expect(shares[0] > 0.75 && shares[6] < 0.15)
  }

  @Test func sharpestIsGamma() throws {
    let shares = try [RuleTable.viT, .attnLRP, .cpLRP].map { table in
      Self.mean(try Self.records(table, [LRP()]).map { $0.scores[0].energyShare })
    }
    #expect(shares[0] > shares[1] + 0.03 && shares[1] > shares[2] + 0.03, "\(shares)")
  }

  /// Why contrasts do not point better than LRP here: what CLRP2 takes from the other digit goes to the background, and CLRP1 adds to both.
  @Test func contrastsTakeFromTheOtherDigitAtMost() throws {
    let targets = try Self.records(.viT, [LRP(), CLRP1(), CLRP2()])
    let others = try targets.map { try #require($0.otherShares) }
    let own = (0..<3).map { method in Self.mean(targets.map { $0.scores[method].energyShare }) }
    let other = (0..<3).map { method in Self.mean(others.map { $0[method] }) }
    #expect(other[0] < 0.25 * own[0], "LRP tells the digits apart by itself")
    #expect(own[1] < own[0] - 0.05 && other[1] > other[0] + 0.02)
    #expect(abs(own[2] - own[0]) < 0.03 && other[2] < other[0] - 0.01)
    // Shares in boxes that do not overlap, and outside of both.
    #expect(
      zip(targets, others).allSatisfy { target, other in
        (0..<3).allSatisfy { target.scores[$0].energyShare + other[$0] <= 1 + 1e-9 }
      })
  }
}
