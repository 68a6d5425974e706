import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rules for pooling, against loops over their definitions in double precision.
@Suite struct PoolingRuleTests {
  static let item = [3, 7, 6]

  /// Propagates relevance of both signs through one node, with one and three seeds for each of two items.
  private func expectRelevance(
    _ operation: any RelevanceKit.Operator, _ rule: any Rule, _ x: Tensor,
    _ oracle: (_ x: [Double], _ r: [Double]) throws -> [Double]
  ) throws {
    var builder = GraphBuilder(item: Array(x.shape.dimensions.dropFirst()))
    builder.add("pool", operation)
    let walk = try Walk(builder.network(), .of(.init(RuleTable.Selector(), rule)), x)
    let output = walk.value("pool").shape
    for seeds in [1, 3] {
      let r = Seeded.tensor(output.withBatch(2 * seeds), seed: 31)
      let found = walk.relevance(from: "pool", r, count: seeds)
      #expect(found.shape == x.shape.withBatch(2 * seeds))
      let expected = try oracle(x.repeatingItems(seeds), r.doubles)
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(seeds) seeds")
    }
  }

  /// Values with few levels of both signs, so that there are ties.
  @Test(arguments: PoolingCase.all, [WinnerTakesAllRule.Ties.first, .split])
  func winnerTakesAll(one: PoolingCase, ties: WinnerTakesAllRule.Ties) throws {
    let x = Seeded.tensor(one.input, seed: 1, low: -2, high: 2).map { $0.rounded() }
    try expectRelevance(.maxPool(one.window), WinnerTakesAllRule(ties: ties), x) { x, r in
      one.oracle.winners(x, r, split: ties == .split)
    }
  }

  /// The maximum over whole axes of values with few levels of both signs.
  @Test(arguments: [[2, 3], [-1], [1], [1, 3]], [WinnerTakesAllRule.Ties.first, .split])
  func winnersAlongAxes(axes: [Int], ties: WinnerTakesAllRule.Ties) throws {
    let x = Seeded.tensor(TensorShape([2] + Self.item), seed: 1, low: -2, high: 2).map { $0.rounded() }
    let (targets, outputs) = Self.targets(axes)
    let maximum = Reduction.reduce(Reduction(.maximum, axes: .fixed(axes), keepsAxes: true))
    try expectRelevance(maximum, WinnerTakesAllRule(ties: ties), x) { x, r in
      var found = [Double](repeating: 0, count: x.count)
      for item in 0..<x.count / 126 {
        for output in 0..<outputs {
          let members = (0..<126).filter { targets[$0] == output }.map { item * 126 + $0 }
          let largest = members.map { x[$0] }.max()!
          let winners = members.filter { x[$0] == largest }
          let taking = ties == .split ? winners : [winners[0]]
          for winner in taking { found[winner] = r[item * outputs + output] / Double(taking.count) }
        }
      }
      return found
    }
  }

  /// Winners share with other positive values in their window; a window without positive values absorbs its relevance.
  @Test(arguments: PoolingCase.all, [false, true]) func winnerShare(one: PoolingCase, isRectified: Bool) throws {
    let signed = Seeded.tensor(one.input, seed: 1, low: -2, high: 2)
    try expectRelevance(.maxPool(one.window), WinnerShareRule(), isRectified ? signed.positivePart : signed) { x, r in
      one.oracle.proportional(x.map { max($0, 0) }, r)
    }
  }

  @Test(arguments: PoolingCase.all, [false, true]) func even(one: PoolingCase, countsPadding: Bool) throws {
    let x = Seeded.tensor(one.input, seed: 1)
    let pool = AveragePool(window: one.window, countsPadding: countsPadding)
    // Padding receives no relevance, whether the forward pass counts it or not.
    try expectRelevance(.averagePool(pool), EvenRule(), x) { _, r in
      one.oracle.averageAdjoint(r, countsPadding: false)
    }
  }

  @Test(arguments: PoolingCase.all, [false, true]) func proportional(one: PoolingCase, countsPadding: Bool) throws {
    let x = Seeded.tensor(one.input, seed: 1).positivePart
    let pool = AveragePool(window: one.window, countsPadding: countsPadding)
    try expectRelevance(.averagePool(pool), ProportionalRule(), x) { x, r in one.oracle.proportional(x, r) }
  }

  /// For each element of an item, the output that it contributes to when axes are reduced, and the number of outputs.
  private static func targets(_ axes: [Int]) -> (targets: [Int], outputs: Int) {
    let reduced = Set(axes.map { $0 < 0 ? $0 + 4 : $0 })
    let targets = (0..<126).map { position in
      [position / 42, position / 6 % 7, position % 6].enumerated().reduce(0) { index, axis in
        reduced.contains(axis.offset + 1) ? index : index * item[axis.offset] + axis.element
      }
    }
    return (targets, targets.max()! + 1)
  }

  @Test(arguments: [[2, 3], [-1, -2], [1], [3], [1, 2, 3]], [false, true])
  func means(axes: [Int], keepsAxes: Bool) throws {
    let x = Seeded.tensor(TensorShape([2] + Self.item), seed: 1, low: 0)
    let (targets, outputs) = Self.targets(axes)
    let mean = Reduction.mean(axes: axes, keepsAxes: keepsAxes)
    for isEven in [true, false] {
      try expectRelevance(mean, isEven ? EvenRule() : ProportionalRule(), x) { x, r in
        (0..<x.count).map { position in
          let (item, inner) = (position / 126, position % 126)
          let target = targets[inner]
          let window = (0..<126).filter { targets[$0] == target }.map { x[item * 126 + $0] }
          let share = isEven ? 1 / Double(window.count) : x[position] / window.reduce(0, +)
          return share * r[item * outputs + target]
        }
      }
    }
  }

  @Test func windowsOfZerosAbsorb() throws {
    var builder = GraphBuilder(item: [2, 2, 2])
    builder.add("relu", .relu)
    builder.add("gap", .mean(axes: [2, 3], keepsAxes: true))
    let table = RuleTable.of(
      .init(.operators(.globalAveragePool), ProportionalRule()), .init(.operators(.relu), PassRule()))
    let x = Tensor(shape: [1, 2, 2, 2], elements: [-1, -2, -3, 0, 1, 3, 0, -1])
    let walk = try Walk(builder.network(), table, x)
    let r = Tensor(shape: [1, 2, 1, 1], elements: [7, 8])
    #expect(walk.relevance(from: "gap", r).elements == [0, 0, 0, 0, 2, 6, 0, 0])
    #expect(walk.ledger(from: "gap", r).first?.absorbed == 7)
  }
}
