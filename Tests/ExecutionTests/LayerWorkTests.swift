import RelevanceKit
import RelevanceTestSupport
import Testing

/// The reported work of layers, against counts by hand.
@Suite struct LayerWorkTests {
  private func kernel(_ operation: any RelevanceKit.Operator, _ input: TensorShape) throws -> any WeightedKernel {
    try WeightedLayer(operation, input: input).kernel
  }

  /// 18 × 17 → 16 × 15: 4 × 4 tiles of 4 × 4 outputs. The adjoint to 18 × 17 has 5 × 5 tiles.
  @Test func winogradCountsWholeTiles() throws {
    let layer = try kernel(.seededConvolution(inputs: 16, outputs: 32, kernel: [3, 3], seed: 1), [2, 16, 18, 17])
    let work = try #require(layer.work)
    #expect(work.algorithm == .winograd)
    #expect(work.multiplyAdds == 2 * 32 * 16 * 36 * 16)
    #expect(work.directMultiplyAdds == 2 * 32 * 16 * 9 * 16 * 15)
    #expect(work.bytes == 4 * (2 * 16 * 18 * 17 + 2 * 32 * 16 * 15 + 32 * 16 * 9))
    let adjoint = try #require(layer.adjointWork)
    #expect(adjoint.algorithm == .winograd)
    #expect(adjoint.multiplyAdds == 2 * 32 * 16 * 36 * 25)
    #expect((adjoint.directMultiplyAdds, adjoint.bytes) == (work.directMultiplyAdds, work.bytes))
  }

  /// 9 × 8 → 5 × 4. The adjoint covers the whole input.
  @Test func im2colCountsPositionsTimesDepth() throws {
    let layer = try kernel(.seededConvolution(inputs: 8, outputs: 4, kernel: [5, 5], seed: 1), [1, 8, 9, 8])
    let work = try #require(layer.work)
    #expect(work.algorithm == .im2col)
    #expect(work.multiplyAdds == 4 * 20 * 8 * 25 && work.directMultiplyAdds == work.multiplyAdds)
    let adjoint = try #require(layer.adjointWork)
    #expect(adjoint.algorithm == .im2col)
    #expect(adjoint.multiplyAdds == 8 * 72 * 4 * 25 && adjoint.directMultiplyAdds == work.multiplyAdds)
  }

  /// 11 × 11 → 5 × 5.
  @Test func stridedAdjointsUseColumns() throws {
    let layer = try kernel(
      .seededConvolution(inputs: 6, outputs: 4, kernel: [3, 3], strides: [2, 2], seed: 1), [3, 6, 11, 11])
    #expect(layer.work?.algorithm == .im2col)
    #expect(layer.adjointWork?.algorithm == .col2im)
    for work in [layer.work, layer.adjointWork] {
      #expect(work?.multiplyAdds == 3 * 4 * 25 * 6 * 9)
      #expect(work?.bytes == 4 * (3 * 6 * 121 + 3 * 4 * 25 + 4 * 6 * 9))
    }
  }

  /// Two groups of 3 → 2 channels, 11 × 11 → 5 × 5.
  @Test func fewChannelsAreSummedDirectly() throws {
    let layer = try kernel(
      .seededConvolution(inputs: 6, outputs: 4, kernel: [3, 3], strides: [2, 2], groups: 2, seed: 1), [3, 6, 11, 11])
    for work in [layer.work, layer.adjointWork] {
      #expect(work?.algorithm == .direct)
      #expect(work?.multiplyAdds == 3 * 2 * 2 * 25 * 3 * 9)
      #expect(work?.bytes == 4 * (3 * 6 * 121 + 3 * 4 * 25 + 4 * 3 * 9))
    }
  }

  @Test func oneTapIsPointwise() throws {
    let layer = try kernel(.seededConvolution(inputs: 5, outputs: 7, kernel: [1, 1], seed: 1), [1, 5, 6, 4])
    for work in [layer.work, layer.adjointWork] {
      #expect(work?.algorithm == .pointwise && work?.multiplyAdds == 5 * 7 * 24)
    }
  }

  @Test func linearLayersCountTheirWeights() throws {
    let layer = Linear.seededLinear(inputs: 10, outputs: 6, seed: 1)
    let one = try kernel(layer, [1, 10])
    #expect(one.work?.algorithm == .gemv && one.work?.multiplyAdds == 60)
    #expect(one.work?.bytes == 4 * (10 + 6 + 60))
    let several = try kernel(layer, [4, 10])
    #expect(several.work?.algorithm == .gemm && several.work?.multiplyAdds == 240)
    #expect(several.adjointWork == nil)
  }

  /// 4 × 4 → 9 × 9 with stride 2, and its adjoint, which is a convolution.
  @Test func transposedConvolutionsAreConvolutionsBackward() throws {
    let layer = try kernel(
      .transposedConvolution(
        TransposedConvolution(
          weight: Seeded.tensor([6, 5, 3, 3], seed: 1), bias: nil, window: Window(kernel: [3, 3], strides: [2, 2]),
          outputPadding: [0, 0], groups: 1)), [2, 6, 4, 4])
    #expect(layer.outputShape == [2, 5, 9, 9])
    #expect(layer.work?.algorithm == .col2im && layer.adjointWork?.algorithm == .im2col)
    for work in [layer.work, layer.adjointWork] {
      #expect(work?.multiplyAdds == 2 * 6 * 16 * 5 * 9)
      #expect(work?.bytes == 4 * (2 * 6 * 16 + 2 * 5 * 81 + 6 * 5 * 9))
    }
  }

  @Test func nodesWithoutWeightsMoveTheirValues() throws {
    var builder = GraphBuilder(item: [3, 4, 4])
    let channels = Tensor(shape: [3], repeating: 2)
    let normalized = builder.add(
      "bn", .batchNormalization(BatchNormalization(scale: channels, shift: channels)), builder.input)
    let sum = builder.add("sum", .add, builder.input, normalized)
    let pooled = builder.add("pool", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])), sum)
    let plan = try Executor(builder.network()).plan([2, 3, 4, 4])
    #expect(plan.work(of: normalized)?.algorithm == .diagonal)
    #expect(plan.work(of: normalized)?.multiplyAdds == 96)
    #expect(plan.work(of: sum) == nil && plan.adjointWork(of: pooled) == nil)
    #expect(plan.leastBytesMoved(by: normalized) == 4 * (96 + 96 + 6))
    #expect(plan.leastBytesMoved(by: sum) == 4 * 3 * 96)
    #expect(plan.leastBytesMoved(by: pooled) == 4 * (96 + 24))
  }

  /// A rectified convolution and two fully connected layers: 5·7·25·9 multiply-adds, then 175 · 6 and 6 · 4 for each
  /// product.
  @Test func productsAreCountedAsTheyAreComputed() throws {
    var builder = GraphBuilder(item: [7, 5, 5])
    let layer = builder.add(
      "conv",
      try .seededConvolution(
        inputs: 7, outputs: 5, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), seed: 1),
      builder.input)
    let flat = builder.add("flat", .flatten(axis: 1), builder.add("relu", .relu, layer))
    let hidden = builder.add("hidden", Linear.seededLinear(inputs: 125, outputs: 6, seed: 2), flat)
    _ = builder.add("head", Linear.seededLinear(inputs: 6, outputs: 4, seed: 3), hidden)
    let (convolution, first, second) = (7 * 5 * 25 * 9, 125 * 6, 6 * 4)
    let input = Seeded.tensor([2, 7, 5, 5], seed: 4)

    let executor = Executor(try builder.network(), threads: 2)
    let products = executor.workers.products
    _ = try executor.logits(input)
    #expect(products.multiplyAdds == 2 * (convolution + first + second))
    _ = try executor.trace(input, sideProducts: [layer: .everywhere])
    #expect(products.multiplyAdds == 2 * (3 * convolution + 2 * first + 2 * second))

    // Backward, the head reads the rows of the two targets, and the layer before it reads all rows.
    let explainer = try Explainer(builder.network(), threads: 2)
    let trace = try explainer.trace(input)
    let before = explainer.executor.workers.products.multiplyAdds
    _ = try trace.explain([.class(0), .class(2)], by: .gradient)
    let back = explainer.executor.workers.products.multiplyAdds - before
    #expect(back == 2 * 2 * (convolution + first + 2 * 6))
  }
}
