import RelevanceKit
import TestSupport
import Testing

/// Rules for pooling against loops over their definitions in double precision.
@Suite struct PoolingRuleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let kernel: [Int]
    let strides: [Int]
    let pads: [Int]
    let ceil: Bool

    var testDescription: String { "kernel \(kernel), strides \(strides), pads \(pads), ceil \(ceil)" }
    var window: Window {
      get throws {
        try Window(kernel: kernel, strides: strides, padding: .explicit(before: pads, after: pads), ceilMode: ceil)
      }
    }

    static let all: [Case] = [[2, 2], [3, 3], [3, 2]].flatMap { kernel in
      [[1, 1], [2, 2], [3, 2]].flatMap { strides in
        [[0, 0], [1, 1]].flatMap { pads in
          [false, true].map { Case(kernel: kernel, strides: strides, pads: pads, ceil: $0) }
        }
      }
    }
  }

  static let item = [3, 7, 6]

  /// Propagates relevance of both signs, one and three seeds for each of two items, through one node.
  private func expectRelevance(
    _ operation: any RelevanceKit.Operator, _ rule: any Rule, _ x: Tensor,
    _ oracle: (_ x: [Double], _ r: [Double]) throws -> [Double]
  ) throws {
    var builder = GraphBuilder(item: Self.item)
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

  /// Values of few levels, so that there are ties, and of both signs.
  @Test(arguments: Case.all, [WinnerTakesAll.Ties.first, .split])
  func winnerTakesAll(one: Case, ties: WinnerTakesAll.Ties) throws {
    let window = try one.window
    let x = Seeded.tensor(Shape([2] + Self.item), seed: 1, low: -2, high: 2).map { $0.rounded() }
    try expectRelevance(.maxPool(window), WinnerTakesAll(ties: ties), x) { x, r in
      NaivePooling(window, extents: [7, 6]).winners(x, r, split: ties == .split)
    }
  }

  /// Winners share with what else is positive in their window; a window without any keeps its relevance.
  @Test(arguments: Case.all, [false, true]) func winnerShare(one: Case, isRectified: Bool) throws {
    let window = try one.window
    let signed = Seeded.tensor(Shape([2] + Self.item), seed: 1, low: -2, high: 2)
    try expectRelevance(.maxPool(window), WinnerShare(), isRectified ? signed.positivePart : signed) { x, r in
      NaivePooling(window, extents: [7, 6]).proportional(x.map { max($0, 0) }, r)
    }
  }

  @Test(arguments: Case.all, [false, true]) func even(one: Case, countsPadding: Bool) throws {
    let window = try one.window
    let x = Seeded.tensor(Shape([2] + Self.item), seed: 1)
    let pool = AveragePool(window: window, countsPadding: countsPadding)
    // Padding takes no relevance, whether it counts in the forward pass or not.
    try expectRelevance(.averagePool(pool), Even(), x) { _, r in
      NaivePooling(window, extents: [7, 6]).averageAdjoint(r, countsPadding: false)
    }
  }

  @Test(arguments: Case.all, [false, true]) func proportional(one: Case, countsPadding: Bool) throws {
    let window = try one.window
    let x = Seeded.tensor(Shape([2] + Self.item), seed: 1).positivePart
    let pool = AveragePool(window: window, countsPadding: countsPadding)
    try expectRelevance(.averagePool(pool), Proportional(), x) { x, r in
      NaivePooling(window, extents: [7, 6]).proportional(x, r)
    }
  }

  @Test(arguments: [[2, 3], [-1, -2], [1], [3], [1, 2, 3]], [false, true])
  func means(axes: [Int], keepsAxes: Bool) throws {
    let x = Seeded.tensor(Shape([2] + Self.item), seed: 1, low: 0)
    let averaged = Set(axes.map { $0 < 0 ? $0 + 4 : $0 })
    /// For each element of an item the output that it is averaged into.
    let targets = (0..<126).map { position in
      [position / 42, position / 6 % 7, position % 6].enumerated().reduce(0) { index, axis in
        averaged.contains(axis.offset + 1) ? index : index * Self.item[axis.offset] + axis.element
      }
    }
    let outputs = targets.max()! + 1
    let mean = Mean.mean(Mean(axes: axes, keepsAxes: keepsAxes))
    for isEven in [true, false] {
      try expectRelevance(mean, isEven ? Even() : Proportional(), x) { x, r in
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
    builder.add("gap", .mean(Mean(axes: [2, 3], keepsAxes: true)))
    let table = RuleTable.of(.init(.operators(.globalAveragePool), Proportional()), .init(.operators(.relu), Pass()))
    let x = Tensor(shape: [1, 2, 2, 2], elements: [-1, -2, -3, 0, 1, 3, 0, -1])
    let walk = try Walk(builder.network(), table, x)
    let r = Tensor(shape: [1, 2, 1, 1], elements: [7, 8])
    #expect(walk.relevance(from: "gap", r).elements == [0, 0, 0, 0, 2, 6, 0, 0])
    #expect(walk.ledger(from: "gap", r).first?.absorbed == 7)
  }
}
