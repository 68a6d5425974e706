import RelevanceKit
import RelevanceTestSupport
import Testing

/// Pooling and averages, against loops over their definitions in double precision.
@Suite struct PoolingTests {
  @Test(arguments: PoolingCase.all)
  func maximum(of one: PoolingCase) throws {
    let (kernel, workers) = try Self.kernel(.maxPool(one.window), of: one)
    let x = Self.coarse(one.input)
    let output = try Self.forward(kernel, x, one, workers)
    #expect(output.doubles == one.oracle.maximum(x.doubles))
  }

  @Test(arguments: PoolingCase.all, [false, true])
  func average(of one: PoolingCase, countsPadding: Bool) throws {
    let operation = AveragePool.averagePool(AveragePool(window: one.window, countsPadding: countsPadding))
    let (kernel, workers) = try Self.kernel(operation, of: one)
    let x = Seeded.tensor(one.input, seed: 1, low: 0)
    let output = try Self.forward(kernel, x, one, workers)
    let expected = one.oracle.average(x.doubles, countsPadding: countsPadding)
    #expect(output.largestDifference(from: expected) <= Tolerance.singlePrecision)

    let pool = try #require(kernel as? AveragePoolKernel)
    for seeds in [1, 3] {
      let r = Seeded.tensor(output.shape.withBatch(2 * seeds), seed: 4)
      let found = Guarded.tensor(x.shape.withBatch(2 * seeds)) { c in
        r.withUnsafeElements { pool.adjoint($0.baseAddress!, seeds: seeds, [c], on: workers) }
      }
      let expected = one.oracle.averageAdjoint(r.doubles, countsPadding: countsPadding)
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(seeds) seeds")
    }
  }

  /// Axes of a mean, over the whole operand and over parts of it.
  @Test(arguments: [[2, 3], [-2, -1], [2], [3], [1], [1, 2], [1, 2, 3]], [true, false])
  func mean(over axes: [Int], keepsAxes: Bool) throws {
    let input: TensorShape = [2, 3, 5, 7]
    let (kernel, workers) = try Self.kernel(.mean(axes: axes, keepsAxes: keepsAxes), input: input)
    let mean = try #require(kernel as? MeanKernel)
    let x = Seeded.tensor(input, seed: 1, low: 0)
    let averaged = Set(axes.map { $0 < 0 ? $0 + 4 : $0 })
    /// The output element of each input element.
    let targets = (0..<input.count).map { position in
      (0..<4).reduce(0) { index, axis in
        averaged.contains(axis) ? index : index * input[axis] + position / input.strides[axis] % input[axis]
      }
    }
    let outputs = targets.max()! + 1
    let count = Double(input.count / outputs)
    var sums = [Double](repeating: 0, count: outputs)
    for (position, value) in x.doubles.enumerated() { sums[targets[position]] += value }
    let output = Guarded.tensor([outputs]) { y in
      x.withUnsafeElements { mean.forward([$0.baseAddress!], y, on: workers) }
    }
    #expect(output.largestDifference(from: sums.map { $0 / count }) <= Tolerance.singlePrecision)

    for seeds in [1, 3] {
      let r = Seeded.tensor([2 * seeds, outputs / 2], seed: 4)
      /// The source of the relevance of an element of an item with several seeds.
      func source(_ index: Int) -> (activation: Int, relevance: Int) {
        let (item, inner) = (index / (input.count / 2), index % (input.count / 2))
        return (item / seeds * input.count / 2 + inner, item * outputs / 2 + targets[inner])
      }
      let places = (0..<input.count * seeds).map { source($0) }
      let shape = input.withBatch(2 * seeds)
      let even = Guarded.tensor(shape) { c in
        r.withUnsafeElements { mean.adjoint($0.baseAddress!, seeds: seeds, [c], on: workers) }
      }
      #expect(
        even.largestDifference(from: places.map { Double(r.elements[$0.relevance]) / count })
          <= Tolerance.singlePrecision)
    }
  }

  @Test func aMeanOverSeparateAxesIsAnError() {
    let error = #expect(throws: GraphError.self) {
      try Self.kernel(.mean(axes: [1, 3], keepsAxes: true), input: [1, 2, 3, 4])
    }
    #expect(
      error?.description
        == "node pool (ReduceMean): the mean over axes [1, 3] is not supported: expected adjacent axes")
  }

  // MARK: Helpers

  private static func kernel(
    _ operation: any RelevanceKit.Operator, input: TensorShape, output: TensorShape? = nil
  ) throws -> (kernel: any Kernel, workers: Workers) {
    var builder = GraphBuilder(item: Array(input.dimensions.dropFirst()))
    let id = builder.add("pool", operation)
    let trace = try Executor(try builder.network(), threads: 2).trace(Tensor(shape: input))
    // Checked before memory of the expected size is written.
    if let output { try #require(trace.value(of: id).shape == output) }
    return (try #require(trace.kernel(of: id)), trace.workers)
  }

  private static func kernel(
    _ operation: any RelevanceKit.Operator, of one: PoolingCase
  ) throws -> (kernel: any Kernel, workers: Workers) {
    try kernel(operation, input: one.input, output: TensorShape([2, 3] + one.oracle.outputExtents))
  }

  private static func forward(
    _ kernel: any Kernel, _ x: Tensor, _ one: PoolingCase, _ workers: Workers
  ) throws -> Tensor {
    Guarded.tensor(TensorShape([2, 3] + one.oracle.outputExtents)) { y in
      x.withUnsafeElements { kernel.forward([$0.baseAddress!], y, on: workers) }
    }
  }

  /// Values with few levels of both signs, so that there are ties.
  static func coarse(_ shape: TensorShape) -> Tensor {
    Seeded.tensor(shape, seed: 9, low: -2, high: 2).map { $0.rounded() / 2 }
  }
}
