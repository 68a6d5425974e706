import CKernels
import Networks
import Tensors

/// Batch normalisation, `scale·x + shift` with a number of each per channel: a layer whose weights are a diagonal.
struct BatchNormalizationKernel: WeightedKernel {
  let parameters: BatchNormalization
  let inputShape: Shape
  var outputShape: Shape { inputShape }

  init(parameters: BatchNormalization, shape: Shape) {
    self.parameters = parameters
    inputShape = shape
  }

  private var channels: Int { inputShape[1] }
  private var positions: Int { inputShape.dimensions[2...].reduce(1, *) }
  var bias: (values: Tensor, run: Int)? { (parameters.shift, positions) }

  func forward(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rectifies: Bool, companion: Companion?,
    on workers: Workers
  ) {
    let shared = Shared((x: x, y: y))
    let positions = positions
    let (scales, shifts) = (parameters.scale.elements, parameters.shift.elements)
    workers.run(inputShape[0] * channels) { plane in
      let y = shared.pointer.y + plane * positions
      rk_affine(y, shared.pointer.x + plane * positions, scales[plane % channels], shifts[plane % channels], positions)
      if rectifies { rk_relu(y, y, positions) }
    }
    if let companion { product(.positive, x, companion.product, accumulates: false, on: workers) }
  }

  func product(
    _ part: WeightPart, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, accumulates: Bool,
    on workers: Workers
  ) {
    let shared = Shared((x: x, y: y))
    let positions = positions
    let scales = parameters.scale.elements
    workers.run(inputShape[0] * channels) { plane in
      let (x, y) = (shared.pointer.x + plane * positions, shared.pointer.y + plane * positions)
      let scale = part(scales[plane % channels])
      for i in 0..<positions { y[i] = (accumulates ? y[i] : 0) + scale * x[i] }
    }
  }

  func adjoint(
    _ part: WeightPart, _ s: UnsafePointer<Float>, seeds: Int, _ c: UnsafeMutablePointer<Float>,
    factor: UnsafePointer<Float>?, on workers: Workers
  ) {
    let shared = Shared((s: s, c: c, factor: factor))
    let positions = positions
    let scales = parameters.scale.elements
    workers.run(inputShape[0] * seeds * channels) { plane in
      let c = shared.pointer.c + plane * positions
      rk_scale(c, shared.pointer.s + plane * positions, part(scales[plane % channels]), positions)
      let (item, channel) = (plane / channels / seeds, plane % channels)
      if let factor = shared.pointer.factor {
        rk_multiply(c, c, factor + (item * channels + channel) * positions, positions)
      }
    }
  }
}

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
