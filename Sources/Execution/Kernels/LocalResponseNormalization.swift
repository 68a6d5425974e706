import CKernels
import Foundation
import Networks
import Tensors

extension LocalResponseNormalization: DirectlyComputed { typealias Computed = LocalResponseNormalizationKernel }

/// Local response normalization across channels.
struct LocalResponseNormalizationKernel: OperatorKernel, DifferentiableKernel {
  let parameters: LocalResponseNormalization
  let shape: TensorShape

  init(_ parameters: LocalResponseNormalization, at site: KernelSite) {
    (self.parameters, shape) = (parameters, site.output.shape)
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let positions = shape.dimensions[2...].reduce(1, *)
    let item = shape[1] * positions
    let shared = Shared((x: operands[0], y: output))
    workers.run(shape[0]) { index in
      rk_lrn(
        shared.pointer.x + index * item, shape[1], positions, parameters.size, parameters.alpha, parameters.beta,
        parameters.bias, shared.pointer.y + index * item)
    }
  }

  /// `∂y_j/∂x_i = δ_ij D_j^−β − 2aβ x_j x_i D_j^(−β−1)` with `D_j = k + a Σ x²` over neighboring channels, a = α/size.
  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    let (channels, positions) = (shape[1], shape.dimensions[2...].reduce(1, *))
    let (scale, beta) = (parameters.alpha / Float(parameters.size), parameters.beta)
    point.forEachItem(s, c, on: workers) { s, x, _, c in
      c.update(repeating: 0, count: point.count)
      // Views that are folded into the first axis are normalized one by one.
      for start in stride(from: 0, to: point.count, by: max(channels * positions, 1)) {
        let (s, x, c) = (s + start, x + start, c + start)
        for p in 0..<positions {
          for j in 0..<channels {
            let neighbors = parameters.neighbors(of: j, channels: channels)
            let squares = neighbors.reduce(Float(0)) { $0 + x[$1 * positions + p] * x[$1 * positions + p] }
            let divisor = parameters.bias + scale * squares
            let s = s[j * positions + p]
            c[j * positions + p] += s * pow(divisor, -beta)
            let slope = -2 * scale * beta * x[j * positions + p] * pow(divisor, -beta - 1) * s
            for i in neighbors { c[i * positions + p] += slope * x[i * positions + p] }
          }
        }
      }
    }
  }
}
