import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension BatchNormalization: DirectlyComputed { typealias Computed = BatchNormalizationKernel }

/// Batch normalization, `scale·x + shift` with one scale and shift per channel: a layer with diagonal weights.
struct BatchNormalizationKernel: OperatorKernel, WeightedKernel {
  let parameters: BatchNormalization
  let inputShape: TensorShape
  var outputShape: TensorShape { inputShape }

  init(_ parameters: BatchNormalization, at site: KernelSite) {
    (self.parameters, inputShape) = (parameters, site.output.shape)
  }

  private var channels: Int { inputShape[1] }
  private var positions: Int { inputShape.dimensions[2...].reduce(1, *) }
  var bias: (values: Tensor, run: Int)? { (parameters.shift, positions) }

  func forward(
    _ x: Floats, _ y: MutableFloats, rectifies: Bool, sideProduct: SideProduct?, followers: Followers,
    on workers: Workers
  ) {
    let shared = Shared((x: x, y: y))
    let positions = positions
    let (scales, shifts) = (parameters.scale.elements, parameters.shift.elements)
    workers.run(inputShape[0] * channels) { plane in
      let y = shared.pointer.y + plane * positions
      let (x, channel) = (shared.pointer.x + plane * positions, plane % channels)
      (rectifies ? rk_affine_relu : rk_affine)(y, x, scales[channel], shifts[channel], positions)
      followers.compute(OutputTile(start: plane * positions, rows: 1, lead: positions, count: positions))
    }
    if let sideProduct { product(.positive, x, sideProduct.product, accumulates: false, on: workers) }
  }

  func product(_ part: WeightPart, _ x: Floats, _ y: MutableFloats, accumulates: Bool, on workers: Workers) {
    let shared = Shared((x: x, y: y))
    let positions = positions
    let scales = parameters.scale.elements
    workers.run(inputShape[0] * channels) { plane in
      let (x, y) = (shared.pointer.x + plane * positions, shared.pointer.y + plane * positions)
      let scale = part(scales[plane % channels])
      for i in 0..<positions { y[i] = (accumulates ? y[i] : 0) + scale * x[i] }
    }
  }

  func adjoint(_ part: WeightPart, _ s: Floats, seeds: Int, _ c: MutableFloats, factor: Floats?, on workers: Workers) {
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
