import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rules z⁺ and z^B, against a dense matrix in double precision.
@Suite struct WeightedRuleTests {
  static let zPlus = RuleTable.of(.init(.operators(.conv, .gemm), ZPlusRule()), .init(.operators(.relu), PassRule()))

  /// Two items, each with one and with three seeds of both signs.
  private func expectRelevance(
    _ walk: Walk, seeds: Int, _ comment: Comment? = nil, _ oracle: (_ r: [Double]) -> [Double]
  ) {
    let output = walk.value("layer").shape
    let r = Seeded.tensor(output.withBatch(output[0] * seeds), seed: 31)
    let found = walk.relevance(from: "layer", r, count: seeds)
    #expect(found.shape == walk.trace.input.shape.withBatch(output[0] * seeds))
    #expect(found.largestDifference(from: oracle(r.doubles)) <= Tolerance.singlePrecision, comment)
  }

  @Test(arguments: LayerCase.all, [1, 3]) func zPlusOfRectifiedInput(layer: LayerCase, seeds: Int) throws {
    let x = Seeded.tensor(TensorShape([2] + layer.item), seed: 1)
    let walk = try Walk(layer.network(behind: [.relu]), Self.zPlus, x)
    #expect(walk.plan.sideProducts == [walk.node("layer"): .everywhere])
    expectRelevance(walk, seeds: seeds) { r in
      layer.oracle.zPlus(x.positivePart.repeatingItems(seeds), r).relevance
    }
  }

  @Test(arguments: LayerCase.all, [1, 3]) func zPlusOfSignedInput(layer: LayerCase, seeds: Int) throws {
    let x = Seeded.tensor(TensorShape([2] + layer.item), seed: 1)
    let walk = try Walk(layer.network(), Self.zPlus, x)
    #expect(walk.plan.sideProducts.isEmpty)
    expectRelevance(walk, seeds: seeds) { r in layer.oracle.zPlus(x.repeatingItems(seeds), r).relevance }
  }

  @Test(arguments: LayerCase.all.filter { $0.item[0] == 4 }, [1, 3])
  func zBoxOfPixels(layer: LayerCase, seeds: Int) throws {
    let range = PixelRange(lower: [-1, -1.5, -2, 0], upper: [1, 1.25, 3, 1])
    let x = Self.pixels(TensorShape([2] + layer.item), range)
    let table = RuleTable.of(.init(.operators(.conv, .gemm), ZBoxRule()), pixelRange: range)
    let walk = try Walk(layer.network(), table, x)
    let (lower, upper) = (Self.bounds(range.lower, layer.item), Self.bounds(range.upper, layer.item))
    expectRelevance(walk, seeds: seeds) { r in
      layer.oracle.zBox(x.repeatingItems(seeds), r, lower: lower, upper: upper).relevance
    }
  }

  @Test(arguments: LayerCase.all, [1, 3]) func zBoxOfOnePair(layer: LayerCase, seeds: Int) throws {
    let x = Seeded.tensor(TensorShape([2] + layer.item), seed: 1, low: -2.1, high: 2.6)
    let table = RuleTable.of(.init(.operators(.conv, .gemm), ZBoxRule(box: .scalar(lower: -2.1179, upper: 2.64))))
    let walk = try Walk(layer.network(), table, x)
    let count = layer.item.reduce(1, *)
    let (lower, upper) = (-2.1179 as Float, 2.64 as Float)
    expectRelevance(walk, seeds: seeds) { r in
      layer.oracle.zBox(
        x.repeatingItems(seeds), r, lower: [Double](repeating: Double(lower), count: count),
        upper: [Double](repeating: Double(upper), count: count)
      ).relevance
    }
  }

  /// The box is that of the convolution's input, after the graph has scaled and shifted the pixels.
  @Test func zBoxBehindScaling() throws {
    let range = PixelRange(lower: [0, 0, 0, -1], upper: [1, 255, 1, 1])
    let (scale, shift): ([Float], [Float]) = ([2, 0.01, -3, 1], [-1, 0.5, 1, 0])
    let layer = try #require(LayerCase.all.first)
    var builder = GraphBuilder(item: layer.item)
    let factors = builder.constant("factors", Tensor(shape: [4, 1, 1], elements: scale))
    let scaled = builder.add("scaled", .multiply, builder.input, factors)
    let offsets = builder.constant("offsets", Tensor(shape: [1, 4, 1, 1], elements: shift))
    let shifted = builder.add("shifted", .add, offsets, scaled)
    builder.add("layer", layer.operation, shifted)
    let x = Self.pixels(TensorShape([2] + layer.item), range)
    let table = RuleTable.of(
      .init(.operators(.conv), ZBoxRule()), .init(.operators(.batchNormalization), PassRule()), pixelRange: range)
    let walk = try Walk(builder.network(), table, x)
    // A negative factor exchanges the bounds.
    let own = walk.value("scaled")
    let bounds = (0..<4).map { channel in
      [range.lower[channel], range.upper[channel]].map { $0 * scale[channel] + shift[channel] }
    }
    expectRelevance(walk, seeds: 1) { r in
      layer.oracle.zBox(
        own.doubles, r, lower: Self.bounds(bounds.map { $0.min()! }, layer.item),
        upper: Self.bounds(bounds.map { $0.max()! }, layer.item)
      ).relevance
    }
  }

  /// Pixels in the layout height × width × channels.
  @Test func zBoxBehindATransposition() throws {
    let range = PixelRange(lower: [-1, -2, 0, -3], upper: [1, 0, 2, 3])
    let layer = try #require(LayerCase.all.first)
    var builder = GraphBuilder(item: [6, 7, 4])
    builder.add("channelsFirst", .transpose(order: [0, 3, 1, 2]))
    builder.add("layer", layer.operation)
    let planes = Self.pixels([2, 4, 6, 7], range)
    let table = RuleTable.of(.init(.operators(.conv), ZBoxRule()), pixelRange: range)
    let walk = try Walk(builder.network(), table, planes.transposed([0, 2, 3, 1]))
    #expect(walk.value("channelsFirst") == planes)
    for seeds in [1, 3] {
      let r = Seeded.tensor(walk.value("layer").shape.withBatch(2 * seeds), seed: 31)
      let expected = layer.oracle.zBox(
        planes.repeatingItems(seeds), r.doubles, lower: Self.bounds(range.lower, layer.item),
        upper: Self.bounds(range.upper, layer.item)
      ).relevance
      let found = walk.relevance(from: "layer", r, count: seeds)
      #expect(found.shape == [2 * seeds, 6, 7, 4])
      #expect(found.transposed([0, 3, 1, 2]).largestDifference(from: expected) <= Tolerance.singlePrecision)
    }
  }

  /// An output without contributions sends no relevance, and the ledger records the absorbed amount.
  @Test func zeroDenominatorsAbsorb() throws {
    let weight = Tensor(shape: [3, 2], elements: [1, 2, -1, -3, 0, 0])
    var builder = GraphBuilder(item: [2])
    builder.add("relu", .relu)
    builder.add("layer", .linear(Linear(weight: weight, bias: Tensor(shape: [3], elements: [0, 9, 9]))))
    let walk = try Walk(builder.network(), Self.zPlus, Tensor(shape: [1, 2], elements: [3, 0.5]))
    let r = Tensor(shape: [1, 3], elements: [4, 10, 100])
    #expect(walk.relevance(from: "layer", r).largestDifference(from: [3, 1]) <= Tolerance.singlePrecision)
    let entry = try #require(walk.ledger(from: "layer", r).first)
    #expect(entry.node == "layer" && entry.rule == "zPlus")
    #expect(entry.relevanceIn == 114)
    #expect(abs(entry.absorbed - 110) <= Tolerance.singlePrecision)
  }

  /// Padding has neither a value nor a box, so it absorbs no relevance.
  @Test func zBoxConservesWithPadding() throws {
    let layer = try #require(LayerCase.all.first)
    let range = PixelRange(lower: [-1, -1, -1, -1], upper: [1, 1, 1, 1])
    let table = RuleTable.of(.init(.operators(.conv), ZBoxRule()), pixelRange: range)
    let walk = try Walk(layer.network(), table, Self.pixels(TensorShape([1] + layer.item), range))
    let r = Seeded.tensor(walk.value("layer").shape, seed: 5, low: 0)
    #expect(abs(walk.relevance(from: "layer", r).sum() - r.sum()) <= Tolerance.singlePrecision * r.sum())
  }

  // MARK: Helpers

  /// Random numbers in a range, channel by channel.
  private static func pixels(_ shape: TensorShape, _ range: PixelRange) -> Tensor {
    let plane = shape.dimensions.dropFirst(2).reduce(1, *)
    let u = Seeded.tensor(shape, seed: 1, low: 0)
    return Tensor(
      shape: shape,
      elements: u.elements.enumerated().map { index, u in
        let channel = index / plane % shape[1]
        return range.lower[channel] + (range.upper[channel] - range.lower[channel]) * u
      })
  }

  /// One number per channel for each element of an item.
  private static func bounds(_ perChannel: [Float], _ item: [Int]) -> [Double] {
    let plane = item.dropFirst().reduce(1, *)
    return perChannel.flatMap { [Double](repeating: Double($0), count: plane) }
  }
}
