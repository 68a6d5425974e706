import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The statements of `Documentation/transformers.md` about methods on the digit transformer, for a part of the scenes.
@Suite struct DigitTransformerEvaluationTests {
  /// The methods in descending order of the share of energy in the box of the digit.
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

  /// `table` with z⁺ in the last layer, as in the tables for CNNs.
  private static func withPlainHead(_ table: RuleTable) -> RuleTable {
    RuleTable(name: "head") {
      RuleTable.Row(.operators(.gemm, position: .last), ZPlusRule())
      table
    }
  }

  /// Contrasts need a last layer that does not divide by logits, most of which are negative. With such a layer, LRP
  /// itself distinguishes classes less.
  @Test func contrastsPointBetterAboveAPlainHead() throws {
    let targets = try Self.records(Self.withPlainHead(.viT), [LRP(), CLRP1(), CLRP2()])
    let others = try targets.map { try #require($0.otherShares) }
    let own = (0..<3).map { method in Self.mean(targets.map { $0.scores[method].energyShare }) }
    let other = (0..<3).map { method in Self.mean(others.map { $0[method] }) }
    #expect(own[1] > own[0] + 0.07 && own[2] > own[0] + 0.07, "\(own)")
    #expect(other[1] < other[0] - 0.1 && other[2] < other[0] - 0.1, "\(other)")
  }

  /// If LRP has relevance of both signs, contrasts become worse, because relevance that contradicts the dual counts as
  /// support in the difference.
  @Test(arguments: ["ViT", "AttnLRP", "CP-LRP"]) func contrastsOfPositivePartsPointBetter(_ name: String) throws {
    let table = try #require(RuleTable.preset(name, pixelRange: nil))
    func shares(_ table: RuleTable) throws -> [Double] {
      let targets = try Self.records(table, [LRP(), CLRP1(), PositiveContrast()])
      return (0..<3).map { method in Self.mean(targets.map { $0.scores[method].energyShare }) }
    }
    let (usual, plain) = (try shares(table), try shares(Self.withPlainHead(table)))
    #expect(usual[1] < usual[0] - 0.05 && usual[2] > usual[0] + 0.01, "\(usual)")
    #expect(plain[2] > plain[0] + 0.06 && plain[2] > plain[1] + 0.06, "\(plain)")
  }

  /// Contrasts do not point better than LRP here: the share that CLRP2 removes from the other digit moves to the
  /// background, and CLRP1 adds to both digits.
  @Test func contrastsTakeFromTheOtherDigitAtMost() throws {
    let targets = try Self.records(.viT, [LRP(), CLRP1(), CLRP2()])
    let others = try targets.map { try #require($0.otherShares) }
    let own = (0..<3).map { method in Self.mean(targets.map { $0.scores[method].energyShare }) }
    let other = (0..<3).map { method in Self.mean(others.map { $0[method] }) }
    #expect(other[0] < 0.25 * own[0], "LRP itself distinguishes the digits")
    #expect(own[1] < own[0] - 0.05 && other[1] > other[0] + 0.02)
    #expect(abs(own[2] - own[0]) < 0.03 && other[2] < other[0] - 0.01)
    // Shares in boxes that do not overlap, and outside of both.
    #expect(
      zip(targets, others).allSatisfy { target, other in
        (0..<3).allSatisfy { target.scores[$0].energyShare + other[$0] <= 1 + 1e-9 }
      })
  }
}

/// CLRP1 of supporting relevance only: `max(0, R⁺ − R_dual⁺)`, where each term is a sum over channels.
private struct PositiveContrast: AttributionMethod {
  static let name = "positive-contrast"
  var isContrastive: Bool { true }

  func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let (batch, height, width) = (trace.batch, trace.input.shape[2], trace.input.shape[3])
    func sums(_ method: some AttributionMethod) throws -> [Tensor] {
      try method.maps(of: targets, in: trace, ledger: false).map { $0.values.summed(to: [batch, 1, height, width]) }
    }
    return zip(try sums(LRP()), try sums(CLRP1())).map { own, difference in
      AttributionMap(own.combined(with: difference) { max($0, 0) - max($0 - $1, 0) })
    }
  }
}
