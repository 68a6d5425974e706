import RelevanceKit
import TestSupport
import Testing

/// A window and the extents of the planes that it slides over.
struct PoolingCase: Sendable, CustomTestStringConvertible {
  let window: Window
  let extents: [Int]

  /// Two items of three channels.
  var input: Shape { Shape([2, 3] + extents) }
  var oracle: NaivePooling { NaivePooling(window, extents: extents) }
  var testDescription: String { "\(window) over \(extents)" }

  static let all: [PoolingCase] = {
    var cases: [PoolingCase] = []
    for kernel in [[2, 2], [3, 3], [3, 2]] {
      for strides in [[1, 1], [2, 2], [2, 3]] {
        for (before, after) in [([0, 0], [0, 0]), ([1, 1], [1, 1]), ([1, 0], [0, 1])] {
          for dilations in [[1, 1], [2, 2]] {
            for ceil in [false, true] {
              for extents in [[5, 5], [6, 7], [13, 10]] {
                let window = try? Window(
                  kernel: kernel, strides: strides, dilations: dilations,
                  padding: .explicit(before: before, after: after),
                  ceilMode: ceil)
                cases.append(PoolingCase(window: window!, extents: extents))
              }
            }
          }
        }
      }
    }
    // Rows longer than those that are computed side by side.
    for strides in [[1, 1], [2, 2], [1, 3]] {
      let window = try? Window(kernel: [2, 3], strides: strides, padding: .explicit(before: [0, 1], after: [0, 1]))
      cases.append(PoolingCase(window: window!, extents: [4, 1100]))
    }
    for strides in [1, 3] {
      let window = try? Window(
        kernel: [4], strides: [strides], padding: .explicit(before: [1], after: [2]), ceilMode: true)
      cases.append(PoolingCase(window: window!, extents: [19]))
    }
    return cases
  }()
}

/// Pooling and averages against loops over their definitions in double precision.
@Suite struct PoolingTests {
  @Test(arguments: PoolingCase.all)
  func maximum(of one: PoolingCase) throws {
    let (kernel, workers) = try Self.kernel(.maxPool(one.window), of: one)
    let x = Self.coarse(one.input)
    let output = try Self.forward(kernel, x, one, workers)
    #expect(output.doubles == one.oracle.maximum(x.doubles))

    let pool = try #require(kernel as? MaxPoolKernel)
    for (seeds, splits) in [(1, false), (1, true), (3, false), (3, true)] {
      let r = Seeded.tensor(output.shape.withBatch(2 * seeds), seed: 4)
      let found = Guarded.tensor(x.shape.withBatch(2 * seeds)) { c in
        Self.withPointers(x, output, r) {
          pool.sendToWinners(x: $0, y: $1, r: $2, seeds: seeds, splitsTies: splits, c, on: workers)
        }
      }
      let expected = one.oracle.winners(x.repeatingItems(seeds), r.doubles, split: splits)
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(seeds) seeds, split \(splits)")
    }
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
      let shape = x.shape.withBatch(2 * seeds)
      for (kernel, counts) in [(pool, countsPadding), (pool.withoutPadding, false)] {
        let found = Guarded.tensor(shape) { c in
          r.withUnsafeElements { kernel.adjoint($0.baseAddress!, seeds: seeds, [c], on: workers) }
        }
        let expected = one.oracle.averageAdjoint(r.doubles, countsPadding: counts)
        #expect(
          found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(seeds) seeds, padding \(counts)")
      }
      let found = Guarded.tensor(shape) { c in
        Self.withPointers(x, x, r) { x, _, r in pool.shareByActivation(x: x, r: r, seeds: seeds, c, on: workers) }
      }
      let expected = one.oracle.proportional(x.repeatingItems(seeds), r.doubles)
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(seeds) seeds, proportional")
    }
  }

  /// Axes of a mean, with the whole and with parts of the operand averaged.
  @Test(arguments: [[2, 3], [-2, -1], [2], [3], [1], [1, 2], [1, 2, 3]], [true, false])
  func mean(over axes: [Int], keepsAxes: Bool) throws {
    let input: Shape = [2, 3, 5, 7]
    let (kernel, workers) = try Self.kernel(.mean(Mean(axes: axes, keepsAxes: keepsAxes)), input: input)
    let mean = try #require(kernel as? MeanKernel)
    let x = Seeded.tensor(input, seed: 1, low: 0)
    let averaged = Set(axes.map { $0 < 0 ? $0 + 4 : $0 })
    /// The output element that each input element is averaged into.
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
      /// Where the relevance of an element of an item of several seeds comes from.
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
      let shares = Guarded.tensor(shape) { c in
        Self.withPointers(x, x, r) { x, _, r in
          mean.shareByActivation(x: x, r: r, items: 2, seeds: seeds, c, on: workers)
        }
      }
      let (values, relevance) = (x.doubles, r.doubles)
      let expected = places.map { values[$0.activation] / sums[targets[$0.activation]] * relevance[$0.relevance] }
      #expect(shares.largestDifference(from: expected) <= Tolerance.singlePrecision)
    }
  }

  @Test func aMeanOverAxesThatAreNotNeighboursIsAnError() {
    let error = #expect(throws: GraphError.self) {
      try Self.kernel(.mean(Mean(axes: [1, 3], keepsAxes: true)), input: [1, 2, 3, 4])
    }
    #expect(
      error?.description
        == "node pool (ReduceMean): the mean over axes [1, 3] is not supported: they must be neighbours")
  }

  /// A sum of zeros has nothing to share in proportion to.
  @Test func zerosTakeNothing() throws {
    let window = try Window(kernel: [2, 2], strides: [2, 2])
    let (kernel, workers) = try Self.kernel(
      .averagePool(AveragePool(window: window, countsPadding: false)), input: [1, 1, 2, 4])
    let x = Tensor(shape: [1, 1, 2, 4], elements: [0, 0, 1, 3, 0, 0, 0, 0])
    let r = Tensor(shape: [1, 1, 1, 2], elements: [5, 8])
    let pool = try #require(kernel as? AveragePoolKernel)
    let found = Guarded.tensor(x.shape) { c in
      Self.withPointers(x, x, r) { x, _, r in pool.shareByActivation(x: x, r: r, seeds: 1, c, on: workers) }
    }
    #expect(found.elements == [0, 0, 2, 6, 0, 0, 0, 0])
  }

  // MARK: Helpers

  private static func kernel(
    _ operation: any RelevanceKit.Operator, input: Shape, output: Shape? = nil
  ) throws -> (kernel: any Kernel, workers: Workers) {
    var builder = GraphBuilder(item: Array(input.dimensions.dropFirst()))
    let id = builder.add("pool", operation)
    let trace = try Executor(try builder.network(), threads: 2).trace(Tensor(shape: input))
    // Before anything is written to memory of the expected size.
    if let output { try #require(trace.value(of: id).shape == output) }
    return (try #require(trace.kernel(of: id)), trace.workers)
  }

  private static func kernel(
    _ operation: any RelevanceKit.Operator, of one: PoolingCase
  ) throws -> (kernel: any Kernel, workers: Workers) {
    try kernel(operation, input: one.input, output: Shape([2, 3] + one.oracle.outputExtents))
  }

  private static func forward(
    _ kernel: any Kernel, _ x: Tensor, _ one: PoolingCase, _ workers: Workers
  ) throws -> Tensor {
    Guarded.tensor(Shape([2, 3] + one.oracle.outputExtents)) { y in
      x.withUnsafeElements { kernel.forward([$0.baseAddress!], y, on: workers) }
    }
  }

  private static func withPointers(
    _ a: Tensor, _ b: Tensor, _ c: Tensor,
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
  ) {
    a.withUnsafeElements { a in
      b.withUnsafeElements { b in c.withUnsafeElements { c in body(a.baseAddress!, b.baseAddress!, c.baseAddress!) } }
    }
  }

  /// Numbers of few values, both signs, so that there are ties.
  static func coarse(_ shape: Shape) -> Tensor {
    Seeded.tensor(shape, seed: 9, low: -2, high: 2).map { $0.rounded() / 2 }
  }
}
