import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rules beside affine nodes of both signs, against a dense matrix in double precision. For an affine node behind a
/// layer, the layer's rule uses `sign(s)·w`; for one in front of a layer, contributions are `(s·x)·w`, and `b·w` is a
/// bias.
@Suite struct AffineRuleTests {
  /// `s·x + b` per channel, in all forms in which it can be written.
  enum Affine: String, CaseIterable {
    case normalization, products, quotients, chain, negation, difference

    /// Adds the nodes after `x`; the result contains the scale and shift per channel.
    func add(to builder: inout GraphBuilder, _ name: String, _ x: Node.ID, channels: Int, spatial: Bool)
      -> (node: Node.ID, scale: [Double], shift: [Double])
    {
      let extents: TensorShape = spatial ? [channels, 1, 1] : [channels]
      let (s, b) = (
        Seeded.tensor([channels], seed: 61, low: -2, high: 2), Seeded.tensor([channels], seed: 62, low: -1, high: 1)
      )
      let ones = [Double](repeating: 1, count: channels)
      var builderConstants = 0
      func constant(_ value: Tensor) -> Node.ID {
        builderConstants += 1
        return builder.constant("\(name)\(builderConstants)", value.reshaped(to: value.count == 1 ? [1] : extents))
      }
      switch self {
      case .normalization:
        return (builder.add(name, .batchNormalization(BatchNormalization(scale: s, shift: b)), x), s.doubles, b.doubles)
      case .products: return (builder.add(name, .multiply, constant(s), x), s.doubles, ones.map { _ in 0 })
      case .quotients:
        return (builder.add(name, .divide, x, constant(s)), s.doubles.map { 1 / $0 }, ones.map { _ in 0 })
      case .chain:
        // (b − x) / s
        let difference = builder.add("\(name).difference", .subtract, constant(b), x)
        let node = builder.add(name, .divide, difference, constant(s))
        return (node, s.doubles.map { -1 / $0 }, zip(b.doubles, s.doubles).map { $0 / $1 })
      case .negation: return (builder.add(name, .negate, x), ones.map { -$0 }, ones.map { _ in 0 })
      case .difference:
        let node = builder.add(name, .subtract, constant(Tensor(shape: [1], elements: [0.75])), x)
        return (node, ones.map { -$0 }, ones.map { _ in 0.75 })
      }
    }
  }

  /// Small layers of each kind, the item that they accept, and a layer that fits after them.
  private static func layers(padding: [Int]) throws -> [LayerCase] {
    let pads = Padding.explicit(before: padding, after: padding)
    let transposed = TransposedConvolution(
      weight: Seeded.tensor([3, 4, 2, 2], seed: 44), bias: Seeded.tensor([4], seed: 45),
      window: try Window(kernel: [2, 2], strides: [2, 2]), outputPadding: [0, 0], groups: 1)
    return [
      LayerCase(
        name: "conv", item: [3, 4, 4],
        operation: try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], padding: pads, seed: 41)),
      LayerCase(
        name: "depthwise", item: [3, 4, 4],
        operation: try .seededConvolution(inputs: 3, outputs: 3, kernel: [3, 3], padding: pads, groups: 3, seed: 42)),
      LayerCase(name: "linear", item: [6], operation: .seededLinear(inputs: 6, outputs: 5, seed: 43)),
      LayerCase(name: "transposed", item: [3, 2, 2], operation: .transposedConvolution(transposed)),
    ]
  }

  private static let rules = ContributionRuleTests.rules.filter { !($0.rule is WSquareRule) && !($0.rule is FlatRule) }

  /// Scales relevance down where the terms of a denominator cancel.
  private static func conditioned(
    _ r: Tensor, _ test: ContributionRuleTests.RuleCase, _ oracle: DenseOracle, _ x: [Double]
  ) -> Tensor {
    let conditions = test.definition(oracle, x, r.doubles).conditions
    return Tensor(shape: r.shape, elements: zip(r.elements, conditions).map { $0 * Float($1 * $1) })
  }

  /// The layer as a matrix; the columns of a transposed convolution are single inputs.
  private static func oracle(_ layer: LayerCase) -> DenseOracle {
    guard let transposed = layer.operation as? TransposedConvolution else { return layer.oracle }
    // Windows do not overlap: output (o, y, x) depends on input (i, y/2, x/2).
    let weight = transposed.weight.doubles
    let matrix = (0..<64).map { output -> [Double] in
      let (o, y, x) = (output / 16, output / 4 % 4, output % 4)
      return (0..<12).map { input in
        let (i, v, u) = (input / 4, input / 2 % 2, input % 2)
        return v == y / 2 && u == x / 2 ? weight[((i * 4 + o) * 2 + y % 2) * 2 + x % 2] : 0
      }
    }
    return DenseOracle(matrix: matrix, bias: (0..<64).map { Double(transposed.bias!.elements[$0 / 16]) })
  }

  /// After a layer, with a rectifier behind it.
  @Test(arguments: Affine.allCases) func behindALayer(affine: Affine) throws {
    for layer in try Self.layers(padding: [1, 1]) {
      let own = Self.oracle(layer)
      let outputs = own.matrix.count
      for test in Self.rules {
        var builder = GraphBuilder(item: layer.item)
        let id = builder.add("layer", layer.operation)
        let spatial = layer.item.count == 3
        let channels = layer.operation.parameters.last!.count
        let (node, scale, shift) = affine.add(to: &builder, "affine", id, channels: channels, spatial: spatial)
        builder.add("relu", .relu, node)
        let table = RuleTable.of(.init(.name("layer"), test.rule), .init(RuleTable.Selector(), PassRule()))
        let x = Seeded.tensor(TensorShape([2] + layer.item), seed: 1)
        let walk = try Walk(builder.network(), table, x)
        #expect(walk.plan.warnings.filter { $0.contains("take over the sign") }.isEmpty)

        let run = outputs / channels
        let signs = (0..<outputs).map { scale[$0 / run] < 0 ? -1.0 : 1.0 }
        let signed = DenseOracle(
          matrix: zip(own.matrix, signs).map { row, sign in row.map { $0 * sign } },
          bias: zip(own.bias, signs).map { $0 * $1 })
        // The forward pass is unchanged.
        let y = own.output(x.doubles).enumerated().map { index, value in
          max(value * scale[index % outputs / run] + shift[index % outputs / run], 0)
        }
        #expect(walk.value("relu").largestDifference(from: y) <= Tolerance.singlePrecision)
        let shape = walk.value("relu").shape
        let r = Self.conditioned(Seeded.tensor(shape, seed: 31), test, signed, x.doubles)
        // Relevance arrives only where the rectifier passes values.
        let arriving = Tensor(shape: shape, elements: zip(r.elements, y).map { $1 > 0 ? $0 : 0 })
        let expected = test.definition(signed, x.doubles, arriving.doubles)
        let found = walk.relevance(from: "relu", arriving)
        #expect(
          found.largestDifference(from: expected.relevance) <= Tolerance.singlePrecision, "\(layer.name), \(test.rule)")
      }
    }
  }

  /// In front of a layer, after a maximum, also with non-negative values, and with padding, which b does not affect.
  @Test(arguments: Affine.allCases) func inFrontOfALayer(affine: Affine) throws {
    for (padding, isRectified) in [([0, 0], false), ([1, 1], true)] {
      for layer in try Self.layers(padding: padding) {
        let own = Self.oracle(layer)
        for (index, test) in Self.rules.enumerated() {
          var builder = GraphBuilder(item: layer.item)
          let spatial = layer.item.count == 3
          var id = builder.input
          if isRectified { id = builder.add("relu", .relu, id) }
          if spatial { id = builder.add("pool", .maxPool(try Window(kernel: [1, 1])), id) }
          let (node, scale, shift) = affine.add(to: &builder, "affine", id, channels: layer.item[0], spatial: spatial)
          builder.add("layer", layer.operation, node)
          let table = RuleTable.of(
            .init(.name("layer"), test.rule), .init(.operators(.maxPool), WinnerTakesAllRule()),
            .init(RuleTable.Selector(), PassRule()))
          let input = Seeded.tensor(TensorShape([2] + layer.item), seed: 1)
          let walk = try Walk(builder.network(), table, input)
          #expect(walk.plan.warnings.filter { $0.contains("take over the sign") }.isEmpty)

          let seeds = index % 2 == 0 ? 1 : 3
          let run = layer.item.dropFirst().reduce(1, *)
          let item = layer.item.reduce(1, *)
          let x = (isRectified ? input.positivePart : input).repeatingItems(seeds).enumerated().map {
            $1 * scale[$0 % item / run]
          }
          let oracle = DenseOracle(
            matrix: own.matrix,
            bias: zip(own.bias, own.matrix).map { bias, row in
              row.enumerated().reduce(bias) { $0 + $1.element * shift[$1.offset / run] }
            })
          let shape = walk.value("layer").shape
          let r = Self.conditioned(Seeded.tensor(shape.withBatch(2 * seeds), seed: 31), test, oracle, x)
          let expected = test.definition(oracle, x, r.doubles)
          let comment: Comment = "\(layer.name), \(test.rule), padding \(padding)"
          let found = walk.relevance(from: "layer", r, count: seeds)
          #expect(found.largestDifference(from: expected.relevance) <= Tolerance.singlePrecision, comment)
          let ledgers = walk.propagator.propagate([walk.node("layer"): r], count: seeds, keepsLedger: true).ledgers
          let entries = ledgers.compactMap { $0.first { $0.node == "layer" } }
          let magnitude = entries.reduce(0) { $0 + max($1.magnitudeIn, $1.magnitudeOut) }
          let bias = entries.reduce(0) { $0 + ($1.losses[.bias] ?? 0) }
          #expect(abs(bias - expected.bias) <= Tolerance.singlePrecision * magnitude, comment)
        }
      }
    }
  }

  /// Rule z^B does not depend on the form in which its input is written.
  @Test(arguments: Affine.allCases) func zBox(affine: Affine) throws {
    for layer in try Self.layers(padding: [1, 1]) {
      let own = Self.oracle(layer)
      var builder = GraphBuilder(item: layer.item)
      let spatial = layer.item.count == 3
      let (node, _, _) = affine.add(to: &builder, "affine", builder.input, channels: layer.item[0], spatial: spatial)
      builder.add("layer", layer.operation, node)
      let table = RuleTable.of(
        .init(.name("layer"), ZBoxRule(box: .scalar(lower: -9, upper: 11))), .init(RuleTable.Selector(), PassRule()))
      let walk = try Walk(builder.network(), table, Seeded.tensor(TensorShape([2] + layer.item), seed: 1))
      let x = walk.trace.value(of: walk.network.graph[walk.node("layer")].inputs[0]).doubles
      let r = Seeded.tensor(walk.value("layer").shape, seed: 31)
      let count = layer.item.reduce(1, *)
      let expected = own.zBox(
        x, r.doubles, lower: [Double](repeating: -9, count: count), upper: [Double](repeating: 11, count: count))
      let found = walk.relevance(from: "layer", r)
      #expect(found.largestDifference(from: expected.relevance) <= Tolerance.singlePrecision, "\(layer.name)")
    }
  }

  /// After flattening and where branches join: offsets of affine nodes are found through nodes that only move values.
  @Test func throughRearrangements() throws {
    let linear = Linear.seededLinear(inputs: 40, outputs: 3, seed: 51)
    var builder = GraphBuilder(item: [3, 2, 4])
    let pool = builder.add("pool", .maxPool(try Window(kernel: [1, 1])))
    let normalized = Affine.normalization.add(to: &builder, "bn", pool, channels: 3, spatial: true)
    let first = builder.add("first", .transpose(order: [0, 2, 3, 1]), normalized.node)
    let part = builder.add("part", .part(axis: 3, index: 0, count: 2), first)
    let b = builder.add(
      "b", .flatten(axis: 1),
      builder.add("shifted", .add, pool, builder.constant("c", Tensor(shape: [1], elements: [2]))))
    let a = builder.add("a", .reshape(extents: [0, -1], allowZero: false), part)
    let joined = builder.add("join", .concat(axis: 1), a, b)
    builder.add("layer", linear, joined)
    let x = Seeded.tensor([2, 3, 2, 4], seed: 1)
    let table = RuleTable.of(
      .init(.name("layer"), ZPlusRule(bias: .absorbed)), .init(.operators(.maxPool), WinnerTakesAllRule()),
      .init(.operators(.batchNormalization, .add), PassRule()))
    let walk = try Walk(builder.network(), table, x)

    // For each column of the layer, its input element with the scale and shift of the affine nodes. The transposed map
    // has 2 × 4 positions of 2 channels each.
    var sources: [(element: Int, scale: Double, shift: Double)] = []
    for column in 0..<16 {
      let channel = column % 2
      sources.append((channel * 8 + column / 2, normalized.scale[channel], normalized.shift[channel]))
    }
    for element in 0..<24 { sources.append((element, 1, 2)) }
    let biases = try #require(linear.bias?.doubles)
    let weight = linear.weight.doubles
    var (matrix, bias): ([[Double]], [Double]) = ([], [])
    for row in 0..<3 {
      matrix.append(Array(weight[row * 40..<row * 40 + 40]))
      var sum = biases[row]
      for (column, source) in sources.enumerated() { sum += matrix[row][column] * source.shift }
      bias.append(sum)
    }
    let oracle = DenseOracle(matrix: matrix, bias: bias)
    let values = x.doubles
    var contributing: [Double] = []
    for item in 0..<2 {
      for source in sources { contributing.append(values[item * 24 + source.element] * source.scale) }
    }
    let r = Seeded.tensor([2, 3], seed: 31, low: 0.5, high: 1)
    let shares = oracle.zPlus(contributing, r.doubles, BiasTreatment.absorbed).relevance
    var expected = [Double](repeating: 0, count: 48)
    for (index, share) in shares.enumerated() { expected[index / 40 * 24 + sources[index % 40].element] += share }
    #expect(walk.relevance(from: "layer", r).largestDifference(from: expected) <= Tolerance.singlePrecision)
  }
}
