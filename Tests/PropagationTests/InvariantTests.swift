import RelevanceKit
import RelevanceTestSupport
import Testing

/// Properties of every walk: it is linear in the relevance and conserves it, and its ledger adds up.
@Suite struct InvariantTests {
  static let tables = RuleTable.presetNames

  private func walk(_ sample: SampleNetwork, _ table: String) throws -> Walk {
    let rules = try #require(RuleTable.preset(table, pixelRange: SampleNetwork.range))
    return try Walk(sample.network(), rules, SampleNetwork.input(batch: 2))
  }

  private func logits(of walk: Walk) -> String { walk.network.graph[walk.network.logits].name }

  /// T(a·R₁ + b·R₂) = a·T(R₁) + b·T(R₂), with relevance of both signs.
  @Test(arguments: SampleNetwork.allCases, tables) func walksAreLinear(sample: SampleNetwork, table: String) throws {
    let walk = try walk(sample, table)
    let shape = walk.trace.value(of: walk.network.logits).shape
    let (r1, r2) = (Seeded.tensor(shape, seed: 1), Seeded.tensor(shape, seed: 2))
    let (t1, t2) = (walk.relevance(from: logits(of: walk), r1), walk.relevance(from: logits(of: walk), r2))
    let mixed = walk.relevance(from: logits(of: walk), r1.combined(with: r2) { 2 * $0 - 3 * $1 })
    let expected = t1.combined(with: t2) { 2 * $0 - 3 * $1 }
    let scale = 2 * t1.largestMagnitude() + 3 * t2.largestMagnitude()
    #expect(mixed.combined(with: expected, -).largestMagnitude() <= Float(Tolerance.singlePrecision) * scale)
    #expect(scale > 0)
  }

  /// Each of several seeds propagated together has the same result as alone, and results are adjacent for each item.
  @Test(arguments: SampleNetwork.allCases, tables) func seedsAreIndependent(sample: SampleNetwork, table: String) throws
  {
    let walk = try walk(sample, table)
    let shape = walk.trace.value(of: walk.network.logits).shape
    let together = Seeded.tensor(shape.withBatch(6), seed: 1)
    let found = walk.relevance(from: logits(of: walk), together, count: 3)
    for seed in 0..<3 {
      let single = Tensor(joining: [together.item(seed), together.item(3 + seed)])
      let expected = walk.relevance(from: logits(of: walk), single)
      for item in 0..<2 {
        #expect(
          found.item(item * 3 + seed).relativeDistance(from: expected.item(item)) <= Tolerance.sameMap, "seed \(seed)")
      }
    }
  }

  /// Every difference at a node has a cause: amounts assigned to rounding are small, no preset has a rule that fails to
  /// conserve, and all absorbed amounts add up to the total difference. This also holds for signed relevance.
  @Test(arguments: SampleNetwork.allCases, tables) func everyLossHasACause(sample: SampleNetwork, table: String) throws
  {
    let walk = try walk(sample, table)
    let shape = walk.trace.value(of: walk.network.logits).shape
    let name = logits(of: walk)
    let r = Seeded.tensor(shape.withBatch(6), seed: 1)
    let result = walk.propagator.propagate([walk.node(name): r], count: 3, keepsLedger: true)
    #expect(result.ledgers.count == 3)
    for (seed, entries) in result.ledgers.enumerated() {
      let ledger = Ledger(entries)
      for entry in ledger {
        let magnitude = max(entry.magnitudeIn, entry.magnitudeOut)
        #expect(abs(entry.losses[.rounding] ?? 0) <= Tolerance.singlePrecision * magnitude, "\(entry.node)")
        #expect(entry.losses[.rule] == nil && entry.losses[.clipped] == nil, "\(entry.node)")
        #expect(abs(entry.losses.values.reduce(0, +) - entry.absorbed) <= 1e-12 * magnitude, "\(entry.node)")
      }
      let largest = ledger.map { max($0.magnitudeIn, $0.magnitudeOut) }.max() ?? 0
      let (arrived, left) = (0..<2).reduce((0.0, 0.0)) {
        ($0.0 + r.item($1 * 3 + seed).sum(), $0.1 + result.relevance.item($1 * 3 + seed).sum())
      }
      #expect(abs(arrived - ledger.absorbed - left) <= Tolerance.singlePrecision * largest)
    }
  }

  /// The rules of the paper conserve relevance except where a denominator is zero. The ledger's entries are the sums at
  /// their nodes, and the absorbed amounts add up to the total difference.
  @Test(arguments: SampleNetwork.allCases, ["default", "paper"]) func theLedgerAddsUp(
    sample: SampleNetwork, table: String
  ) throws {
    let walk = try walk(sample, table)
    let shape = walk.trace.value(of: walk.network.logits).shape
    let r = Seeded.tensor(shape, seed: 1, low: 0.5, high: 1)
    let name = logits(of: walk)
    let ledger = walk.ledger(from: name, r)
    #expect(ledger.map(\.node) == walk.plan.assignments.reversed().map(\.site.node.name))
    #expect(ledger.map(\.rule) == walk.plan.assignments.reversed().map(\.rule.description))
    let total = r.sum()
    let tolerance = Tolerance.conservation * total
    for entry in ledger {
      let arriving = entry.node == name ? r : walk.relevance(from: name, r, to: entry.node)
      #expect(abs(entry.relevanceIn - arriving.sum()) <= tolerance, "\(entry.node)")
      // The absorbed relevance is that of outputs whose denominator is zero: without positive contributions, or only
      // zeros.
      let denominator: Tensor? =
        switch entry.rule {
        case "zPlus": walk.trace.sideProduct(of: walk.node(entry.node))
        case "proportional", "shareBySummand": walk.value(entry.node)
        default: nil
        }
      let absorbed =
        denominator.map { zip(arriving.doubles, $0.doubles).reduce(0) { $0 + ($1.1 == 0 ? $1.0 : 0) } } ?? 0
      #expect(abs(entry.absorbed - absorbed) <= tolerance, "\(entry.node)")
    }
    let lost = ledger.reduce(0) { $0 + $1.absorbed }
    #expect(abs(total - lost - walk.relevance(from: name, r).sum()) <= tolerance)
  }

  /// z⁺ on inputs ≥ 0 has the same result whether their sign is known in advance or not.
  @Test func knownAndUnknownSignsAgree() throws {
    let layer = try #require(LayerCase.all.first)
    let x = Seeded.tensor(TensorShape([1] + layer.item), seed: 1, low: 0)
    let table = WeightedRuleTests.zPlus
    let r = Seeded.tensor([1, 6, 6, 7], seed: 3)
    let known = try Walk(layer.network(behind: [.relu]), table, x).relevance(from: "layer", r)
    let unknown = try Walk(layer.network(), table, x).relevance(from: "layer", r)
    #expect(known.relativeDistance(from: unknown) <= Tolerance.sameMap)
  }

  @Test(arguments: SampleNetwork.allCases) func bitsDoNotDependOnThreads(sample: SampleNetwork) throws {
    let network = try sample.network()
    let table = RuleTable.default(pixelRange: SampleNetwork.range)
    let seed = Seeded.tensor([6, 7], seed: 1)
    func bits(threads: Int) throws -> [UInt32] {
      let walk = try Walk(network, table, SampleNetwork.input(batch: 2), threads: threads)
      let shape = walk.trace.value(of: network.logits).shape.withBatch(6)
      return walk.relevance(from: logits(of: walk), seed.reshaped(to: shape), count: 3).bits
    }
    let expected = try bits(threads: 1)
    for threads in [2, 3, 5] { #expect(try bits(threads: threads) == expected) }
  }
}
