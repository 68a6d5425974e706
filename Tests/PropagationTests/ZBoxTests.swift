import RelevanceKit
import RelevanceTestSupport
import Testing

/// The box of rule z^B in all its shapes, against a dense matrix in double precision.
@Suite struct ZBoxTests {
  /// Inputs between bounds with the same shape.
  private static func inputs(_ lower: Tensor, _ upper: Tensor, seed: UInt64 = 1) -> Tensor {
    let u = Seeded.tensor(lower.shape, seed: seed, low: 0)
    return Tensor(
      shape: lower.shape,
      elements: zip(zip(lower.elements, upper.elements), u.elements).map { $0.0 + ($0.1 - $0.0) * $1 })
  }

  /// A box with one pair per channel, given in a row, against the dense matrix.
  @Test(arguments: LayerCase.all, [1, 3]) func channels(layer: LayerCase, seeds: Int) throws {
    let channels = layer.item[0]
    let lower = (0..<channels).map { -1 - Float($0) / 4 }
    let upper = (0..<channels).map { 0.5 + Float($0) / 2 }
    let rule = ZBoxRule(box: .channels(lower: lower, upper: upper))
    let yaml = try RuleTable.of(.init(.operators(.conv, .convTranspose, .gemm), rule)).yaml()
    let plane = layer.item.dropFirst().reduce(1, *)
    func spread(_ bounds: [Float]) -> [Float] { bounds.flatMap { [Float](repeating: $0, count: plane) } }
    let shape = TensorShape([1] + layer.item)
    let item = Self.inputs(
      Tensor(shape: shape, elements: spread(lower)), Tensor(shape: shape, elements: spread(upper)))
    let x = Tensor(joining: [item, item.map { $0 * 0.5 }])
    let walk = try Walk(layer.network(), RuleTable(yaml: yaml, pixelRange: nil), x)
    let r = Seeded.tensor(walk.value("layer").shape.withBatch(2 * seeds), seed: 31)
    let expected = layer.oracle.zBox(
      x.repeatingItems(seeds), r.doubles, lower: spread(lower).map(Double.init), upper: spread(upper).map(Double.init))
    let found = walk.relevance(from: "layer", r, count: seeds)
    #expect(found.largestDifference(from: expected.relevance) <= Tolerance.singlePrecision)
  }

  /// A mean image that is subtracted inside the graph: each element has its own box.
  @Test func elements() throws {
    let layer = try #require(LayerCase.all.first)
    let range = PixelRange(lower: [0, 0, 0, 0], upper: [1, 1, 2, 3])
    let mean = Seeded.tensor(TensorShape([1] + layer.item), seed: 8)
    var builder = GraphBuilder(item: layer.item)
    builder.add("shifted", .subtract, builder.input, builder.constant("mean", mean))
    builder.add("layer", layer.operation)
    let plane = layer.item.dropFirst().reduce(1, *)
    let top = Tensor(shape: mean.shape, elements: range.upper.flatMap { [Float](repeating: $0, count: plane) })
    let x = Self.inputs(mean.map { _ in 0 }, top)
    let table = RuleTable.of(
      .init(.operators(.conv), ZBoxRule()), .init(.operators(.sub), PassRule()), pixelRange: range)
    let walk = try Walk(builder.network(), table, Tensor(joining: [x, x.map { $0 / 2 }]))
    let r = Seeded.tensor(walk.value("layer").shape, seed: 31)
    let expected = layer.oracle.zBox(
      walk.value("shifted").doubles, r.doubles, lower: mean.doubles.map { -$0 },
      upper: top.combined(with: mean, -).doubles)
    #expect(walk.relevance(from: "layer", r).largestDifference(from: expected.relevance) <= Tolerance.singlePrecision)
  }

  /// A fully connected layer along the last axis, applied at every position: channels are last, or rows differ.
  @Test func rowsAndLastChannels() throws {
    let weight = Seeded.tensor([5, 3], seed: 3)
    let oracle = DenseOracle(
      matrix: (0..<5).map { j in (0..<3).map { Double(weight[j, $0]) } }, bias: [Double](repeating: 0, count: 5))
    let range = PixelRange(lower: [-1, -2, 0], upper: [1, 0.5, 3])
    let rows = Seeded.tensor([1, 4, 1, 1], seed: 9)
    for addsRows in [false, true] {
      var builder = GraphBuilder(item: [4, 2, 3])
      var last = builder.input
      if addsRows { last = builder.add("shifted", .add, builder.input, builder.constant("rows", rows)) }
      builder.add("layer", .linear(Linear(weight: weight, bias: nil)), last)
      let shape: TensorShape = [2, 4, 2, 3]
      func spread(_ bounds: [Float]) -> Tensor {
        Tensor(shape: shape, elements: (0..<shape.count).map { bounds[$0 % 3] })
      }
      let x = Self.inputs(spread(range.lower), spread(range.upper))
      let table = RuleTable.of(.init(.operators(.gemm), ZBoxRule()), pixelRange: range)
      let walk = try Walk(builder.network(), table, x)
      let y = addsRows ? walk.value("shifted") : x
      let r = Seeded.tensor([2, 4, 2, 5], seed: 31)
      let found = walk.relevance(from: "layer", r).doubles
      for position in 0..<16 {
        let shift = addsRows ? Double(rows.elements[position / 2 % 4]) : 0
        let expected = oracle.zBox(
          Array(y.doubles[position * 3..<position * 3 + 3]), Array(r.doubles[position * 5..<position * 5 + 5]),
          lower: range.lower.map { Double($0) + shift }, upper: range.upper.map { Double($0) + shift }
        ).relevance
        for (a, b) in zip(found[position * 3..<position * 3 + 3], expected) { #expect(abs(a - b) <= 1e-4) }
      }
    }
  }

  /// A border of nonzero values in front of the layer receives none of the pixels' relevance. If the input size is
  /// open, the layer accepts any size.
  @Test(arguments: [false, true]) func borders(isOpen: Bool) throws {
    let extent = { (size: Int, name: String) in isOpen ? SymbolicExtent.symbolic(name) : .fixed(size) }
    let shape = SymbolicShape([.symbolic("n"), .fixed(4), extent(6, "h"), extent(7, "w")])
    let layer = try #require(LayerCase.all.first)
    let nodes = [
      Node(name: "x", operation: .input(shape), inputs: []),
      Node(name: "moved", operation: .pad(Pad(amounts: [1, 1], axes: [3], value: -1)), inputs: [Node.ID(0)]),
      Node(name: "layer", operation: layer.operation, inputs: [Node.ID(1)]),
    ]
    let network = try NeuralNetwork(Graph(name: "test", nodes: nodes, output: Node.ID(2)))
    let range = PixelRange(lower: [0, 0, 0, 0], upper: [1, 1, 1, 1])
    let table = RuleTable.of(.init(.operators(.conv), ZBoxRule()), pixelRange: range)
    for size in isOpen ? [5, 6, 20] : [6] {
      let x = Seeded.tensor([2, 4, size, 7], seed: 4, low: 0)
      let walk = try Walk(network, table, x)
      let r = Seeded.tensor(walk.value("layer").shape, seed: 31, low: 0)
      let found = walk.relevance(from: "layer", r)
      #expect(found.elements.allSatisfy { $0 >= 0 })
      // With a known size, the border has no range and receives no share.
      #expect(isOpen ? found.sum() < 0.999 * r.sum() : abs(found.sum() - r.sum()) <= 1e-5 * r.sum())
    }
  }

  /// Boxes that do not fit the layer cause errors when the table is resolved.
  @Test func objections() throws {
    let layer = try #require(LayerCase.all.first)
    for (box, reason) in [
      (
        ZBoxRule.Box.channels(lower: [0, 0, 0], upper: [1, 1, 1]),
        "its box has 3 lower and 3 upper bounds; expected one of each for all 4 channels of the layer's input"
      ),
      (.channels(lower: [0, 0, 2, 0], upper: [1, 1, 1, 1]), "its box has a lower bound above the upper one"),
      (.scalar(lower: 1, upper: 0), "its box has lower 1.0 above upper 0.0"),
    ] {
      let rule = ZBoxRule(box: box)
      let error = #expect(throws: RuleTableError.self) {
        try RuleTable.of(.init(.operators(.conv), rule)).resolve(for: layer.network())
      }
      #expect(error?.description == "rule table test: \(rule) at layer: \(reason)")
    }
  }
}
