import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rules for nodes that pass, move or distribute relevance.
@Suite struct StructureRuleTests {
  static let item = [3, 4, 5]
  static let x = Seeded.tensor([2, 3, 4, 5], seed: 1)

  private static func batchNormalization() -> any RelevanceKit.Operator {
    .batchNormalization(
      BatchNormalization(
        gamma: Tensor(shape: [3], elements: [1, -2, 0.5]), beta: Tensor(shape: [3], elements: [1, 0, -1]),
        mean: Tensor(shape: [3]), variance: Tensor(shape: [3], repeating: 1), epsilon: 0))
  }

  /// Elementwise nodes pass relevance unchanged to the bit.
  @Test func passIsTheIdentity() throws {
    let lrn = LocalResponseNormalization(size: 3, alpha: 0.1, beta: 0.75, bias: 1)
    for operation in [
      .relu, Self.batchNormalization(), .localResponseNormalization(lrn),
      .softmax(Softmax(axis: 1, joinsTrailingAxes: false)), .logSoftmax(Softmax(axis: 1, joinsTrailingAxes: false)),
    ] as [any RelevanceKit.Operator] {
      var builder = GraphBuilder(item: Self.item)
      builder.add("node", operation)
      // Another node follows, because a softmax at the end would be removed.
      builder.add("end", .relu)
      let walk = try Walk(builder.network(), .of(.init(RuleTable.Selector(), PassRule())), Self.x)
      let r = Seeded.tensor([6, 3, 4, 5], seed: 2)
      #expect(walk.relevance(from: "end", r, count: 3) == r, "\(operation.kind)")
    }
  }

  /// Scaling and shifting by constants is bypassed on either side; where the operand is broadcast, the relevance of its
  /// copies is added.
  @Test(arguments: [false, true], [false, true]) func constantsAreBypassed(multiplies: Bool, constantFirst: Bool) throws
  {
    let operation: any RelevanceKit.Operator = multiplies ? .multiply : .add
    let table = RuleTable.of(.init(.operators(.mul), PassRule()))
    for extents in [[3, 1, 1], [1], [2, 3, 4, 5]] {
      var builder = GraphBuilder(item: Self.item)
      let constant = builder.constant("constant", Seeded.tensor(TensorShape(extents), seed: 3))
      builder.add("node", operation, constantFirst ? constant : builder.input, constantFirst ? builder.input : constant)
      let walk = try Walk(builder.network(), table, Self.x)
      let r = Seeded.tensor([6, 3, 4, 5], seed: 2)
      #expect(walk.relevance(from: "node", r, count: 3) == r)
    }
    var builder = GraphBuilder(item: [3, 1, 1])
    let constant = builder.constant("constant", Seeded.tensor([3, 4, 5], seed: 3))
    builder.add("node", operation, constantFirst ? constant : builder.input, constantFirst ? builder.input : constant)
    let walk = try Walk(builder.network(), table, Seeded.tensor([2, 3, 1, 1], seed: 1))
    let r = Seeded.tensor([6, 3, 4, 5], seed: 2)
    let sums = stride(from: 0, to: 360, by: 20).map { start in r.doubles[start..<start + 20].reduce(0, +) }
    #expect(walk.relevance(from: "node", r, count: 3).largestDifference(from: sums) <= Tolerance.singlePrecision)
  }

  /// Relevance moves with values: the backward walk reverses the forward pass.
  @Test(
    arguments: [
      Flatten(axis: 1), .reshape(extents: [0, 5, -1], allowZero: false),
      .reshape(extents: [0, -1, 1, 2], allowZero: false), .unsqueeze(axes: [2, -1]), .transpose(order: [0, 2, 3, 1]),
      .transpose(order: [0, 3, 1, 2]),
    ] as [any RelevanceKit.Operator])
  func movedValuesTakeRelevanceAlong(operation: any RelevanceKit.Operator) throws {
    var builder = GraphBuilder(item: Self.item)
    builder.add("move", operation)
    let network = try builder.network()
    for seeds in [1, 3] {
      let r = Seeded.tensor([2 * seeds, 3, 4, 5], seed: 2)
      let moved = try Executor(network).trace(r).value(of: network.graph.output)
      let walk = try Walk(network, .of(), Self.x)
      #expect(walk.relevance(from: "move", moved, count: seeds) == r)
    }
  }

  @Test func squeezedAxesAreRestored() throws {
    var builder = GraphBuilder(item: [3, 1, 1])
    builder.add("squeeze", .squeeze(axes: [2, 3]))
    let walk = try Walk(builder.network(), .of(), Tensor(shape: [2, 3, 1, 1]))
    let r = Seeded.tensor([6, 3], seed: 2)
    #expect(walk.relevance(from: "squeeze", r, count: 3) == r.reshaped(to: [6, 3, 1, 1]))
  }

  /// A concatenation is split, and an operand that occurs twice receives both parts.
  @Test func concatenationsAreSplitAndFanOutAddsUp() throws {
    var builder = GraphBuilder(item: Self.item)
    let a = builder.add("a", .relu)
    let b = builder.add("b", Self.batchNormalization(), builder.input)
    builder.add("join", .concat(axis: 1), a, b, a)
    let table = RuleTable.of(.init(.operators(.relu, .batchNormalization), PassRule()))
    let walk = try Walk(builder.network(), table, Self.x)
    for seeds in [1, 3] {
      let r = Seeded.tensor([2 * seeds, 9, 4, 5], seed: 2)
      let values = r.doubles
      let parts: [[Double]] = (0..<3).map { part in
        (0..<2 * seeds).flatMap { item in
          let start = (item * 3 + part) * 60
          return values[start..<start + 60]
        }
      }
      let (toA, toB) = (zip(parts[0], parts[2]).map(+), parts[1])
      for (name, expected) in [("a", toA), ("b", toB), ("x", zip(toA, toB).map(+))] {
        let found = walk.relevance(from: "join", r, count: seeds, to: name)
        #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(name), \(seeds) seeds")
      }
    }
  }

  /// A sum distributes relevance in proportion to its summands; where they cancel, it sends none.
  @Test(arguments: [[2, 3, 4, 5], [2, 3, 1, 1], [2, 1, 4, 5]]) func sumsShareBySummand(extents: [Int]) throws {
    var builder = GraphBuilder(item: Self.item)
    let a = builder.add("a", .relu)
    let axes = (1..<4).filter { extents[$0] == 1 }
    let b =
      axes.isEmpty
      ? builder.add("b", Self.batchNormalization(), builder.input)
      : builder.add("b", .mean(axes: axes, keepsAxes: true), builder.input)
    builder.add("sum", .add, a, b)
    let table = RuleTable.of(
      .init(.operators(.relu, .batchNormalization), PassRule()),
      .init(.operators(.reduceMean, .globalAveragePool), EvenRule()))
    var x = Self.x
    // The sum is exactly 0 at some position: both the rectified and the normalized pixel are.
    if axes.isEmpty { x[1, 1, 2, 3] = 0 }
    let walk = try Walk(builder.network(), table, x)
    let (sum, valueA, valueB) = (walk.value("sum"), walk.value("a"), walk.value("b"))
    if axes.isEmpty { #expect(sum[1, 1, 2, 3] == 0) }
    for seeds in [1, 3] {
      let r = Seeded.tensor([2 * seeds, 3, 4, 5], seed: 2)
      var (toA, toB) = ([Double](), [Double](repeating: 0, count: 2 * seeds * valueB.count / 2))
      for (position, relevance) in r.doubles.enumerated() {
        let (item, inner) = (position / 60, position % 60)
        let index = [item / seeds, inner / 20, inner / 5 % 4, inner % 5]
        let small = zip(index, extents).map { $1 == 1 ? 0 : $0 }
        let (z, a, b) = (
          Double(sum[index[0], index[1], index[2], index[3]]), Double(valueA[index[0], index[1], index[2], index[3]]),
          Double(valueB[small[0], small[1], small[2], small[3]])
        )
        toA.append(z == 0 ? 0 : a / z * relevance)
        let at = ((item * extents[1] + small[1]) * extents[2] + small[2]) * extents[3] + small[3]
        toB[at] += z == 0 ? 0 : b / z * relevance
      }
      for (name, expected) in [("a", toA), ("b", toB)] {
        let found = walk.relevance(from: "sum", r, count: seeds, to: name)
        #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(name), \(seeds) seeds")
      }
    }
  }

  /// A value that is added to itself receives all relevance.
  @Test func aSumOfTheSameTwice() throws {
    var builder = GraphBuilder(item: Self.item)
    let a = builder.add("a", .relu)
    builder.add("sum", .add, a, a)
    let walk = try Walk(builder.network(), .of(.init(.operators(.relu), PassRule())), Self.x)
    let r = Seeded.tensor([2, 3, 4, 5], seed: 2)
    let expected = zip(r.doubles, Self.x.positivePart.doubles).map { $1 == 0 ? 0 : $0 }
    #expect(walk.relevance(from: "sum", r, to: "a").largestDifference(from: expected) <= Tolerance.singlePrecision)
  }
}
