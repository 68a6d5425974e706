import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension TransposedConvolution: DirectlyComputed { typealias Computed = TransposedConvolutionKernel }

/// Transposed convolution: its forward pass is the adjoint of a convolution, and its adjoint is the convolution.
struct TransposedConvolutionKernel: OperatorKernel, WeightedKernel {
  let inputShape: TensorShape
  let outputShape: TensorShape
  private let convolution: ConvolutionKernel
  private let biases: Tensor?

  init(_ transposed: TransposedConvolution, at site: KernelSite) throws {
    (inputShape, outputShape, biases) = (site.operands[0].shape, site.output.shape, transposed.bias)
    let window = try transposed.adjointWindow(input: inputShape, output: outputShape)
    convolution = try ConvolutionKernel(
      Convolution(weight: transposed.weight, bias: nil, window: window, groups: transposed.groups), at: site.reversed)
  }

  private var positions: Int { outputShape.dimensions[2...].reduce(1, *) }
  var bias: (values: Tensor, run: Int)? { biases.map { ($0, positions) } }
  var work: LayerWork? { convolution.adjointWork }
  var adjointWork: LayerWork? { convolution.productWork }

  func forward(
    _ x: Floats, _ y: MutableFloats, rectifies: Bool, sideProduct: SideProduct?, followers: Followers,
    on workers: Workers
  ) {
    convolution.adjoint(.all, x, seeds: 1, y, factor: nil, on: workers)
    if let sideProduct { convolution.adjoint(.positive, x, seeds: 1, sideProduct.product, factor: nil, on: workers) }
    for item in 0..<outputShape[0] {
      Im2colConvolution.finish(
        y + item * outputShape[1] * positions, lead: positions, rows: 0..<outputShape[1], positions, biases,
        rectifies: rectifies)
    }
    followers.compute(all: outputShape.count, on: workers)
  }

  func product(_ part: WeightPart, _ x: Floats, _ y: MutableFloats, accumulates: Bool, on workers: Workers) {
    guard accumulates else { return convolution.adjoint(part, x, seeds: 1, y, factor: nil, on: workers) }
    let sum = workers.pool.storage(count: outputShape.count)
    convolution.adjoint(part, x, seeds: 1, sum.base, factor: nil, on: workers)
    rk_add(y, y, sum.base, sum.count)
  }

  func adjoint(_ part: WeightPart, _ s: Floats, seeds: Int, _ c: MutableFloats, factor: Floats?, on workers: Workers) {
    let (above, below) = (outputShape.count / outputShape[0], inputShape.count / inputShape[0])
    // The convolution processes one batch at a time, so seeds are gathered and scattered one by one.
    for seed in 0..<seeds {
      let gathered = workers.pool.storage(count: outputShape.count)
      let result = workers.pool.storage(count: inputShape.count)
      for item in 0..<outputShape[0] {
        (gathered.base + item * above).update(from: s + (item * seeds + seed) * above, count: above)
      }
      convolution.product(part, gathered.base, result.base, accumulates: false, on: workers)
      for item in 0..<inputShape[0] {
        let target = c + (item * seeds + seed) * below
        if let factor {
          rk_multiply(target, result.base + item * below, factor + item * below, below)
        } else {
          target.update(from: result.base + item * below, count: below)
        }
      }
    }
  }
}

extension TransposedConvolution {
  /// The window of the convolution whose adjoint this is, with explicit padding.
  fileprivate func adjointWindow(input: TensorShape, output: TensorShape) throws -> Window {
    let (before, after) = padding(of: input, to: output)
    // Padding added at the end of the output is beyond the last window.
    return try Window(
      kernel: window.kernel, strides: window.strides, dilations: window.dilations,
      padding: .explicit(before: before, after: zip(after, outputPadding).map { $0 - $1 }))
  }
}
