import CKernels
import Tensors

/// An average as a layer with weights, all of them equal and positive. Their size cancels wherever shares are taken, so
/// that `.squared` and `.ones` are the weights themselves.
package struct EqualWeights: WeightedKernel {
  package let inputShape: Shape
  package let outputShape: Shape
  package var bias: (values: Tensor, run: Int)? { nil }
  private let kernel: any LinearKernel

  package init(_ kernel: any LinearKernel, input: Shape, output: Shape) {
    self.kernel = kernel
    inputShape = input
    outputShape = output
  }

  private func scale(_ part: WeightPart) -> Float {
    if case .scaled(let positive, _) = part { positive } else { 1 }
  }

  package func forward(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rectifies: Bool, companion: Companion?,
    on workers: Workers
  ) {
    kernel.forward([x], y, on: workers)
    if rectifies { rk_relu(y, y, outputShape.count) }
    if let companion { companion.product.update(from: y, count: outputShape.count) }
  }

  package func product(
    _ part: WeightPart, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, accumulates: Bool,
    on workers: Workers
  ) {
    let product = workers.pool.storage(count: outputShape.count)
    kernel.forward([x], product.base, on: workers)
    rk_scale(product.base, product.base, scale(part), product.count)
    if accumulates {
      rk_add(y, y, product.base, product.count)
    } else {
      y.update(from: product.base, count: product.count)
    }
  }

  package func adjoint(
    _ part: WeightPart, _ s: UnsafePointer<Float>, seeds: Int, _ c: UnsafeMutablePointer<Float>,
    factor: UnsafePointer<Float>?, on workers: Workers
  ) {
    kernel.adjoint(s, seeds: seeds, [c], on: workers)
    let count = inputShape.itemCount
    for item in 0..<(inputShape.dimensions.first ?? 1) * seeds {
      let c = c + item * count
      rk_scale(c, c, scale(part), count)
      if let factor { rk_multiply(c, c, factor + item / seeds * count, count) }
    }
  }
}
