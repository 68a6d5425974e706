import CRelevanceKernels
import Foundation
import RelevanceNetworks
import RelevanceTensors

extension LocalResponseNormalization: DirectlyComputed { typealias Computed = LocalResponseNormalizationKernel }

/// Local response normalization across channels.
package struct LocalResponseNormalizationKernel: OperatorKernel, DifferentiableKernel {
  package let parameters: LocalResponseNormalization
  package let shape: TensorShape

  init(_ parameters: LocalResponseNormalization, at site: KernelSite) {
    (self.parameters, shape) = (parameters, site.output.shape)
  }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let positions = shape.dimensions[2...].reduce(1, *)
    let item = shape[1] * positions
    let shared = Shared((x: operands[0], y: output))
    workers.run(shape[0]) { index in
      rk_lrn(
        shared.pointer.x + index * item, shape[1], positions, parameters.size, parameters.alpha, parameters.beta,
        parameters.bias, shared.pointer.y + index * item)
    }
  }

  /// Calls `body` with each of `count` elements, the neighbors in its sum of squares, and the divisor `D = k + a Σ x²`,
  /// a = α/size.
  package func forEachElement(
    of x: Floats, count: Int, _ body: (_ element: Int, _ neighbors: StrideThrough<Int>, _ divisor: Float) -> Void
  ) {
    let (channels, positions) = (shape[1], shape.dimensions[2...].reduce(1, *))
    // Views that are merged into the first axis are normalized one by one.
    for start in stride(from: 0, to: count, by: max(channels * positions, 1)) {
      for first in start..<start + positions {
        for channel in 0..<channels {
          let range = parameters.neighbors(of: channel, channels: channels)
          let neighbors = stride(
            from: first + range.lowerBound * positions, through: first + range.upperBound * positions, by: positions)
          let squares = neighbors.reduce(Float(0)) { $0 + x[$1] * x[$1] }
          body(first + channel * positions, neighbors, parameters.bias + parameters.share * squares)
        }
      }
    }
  }

  /// `∂y_j/∂x_i = δ_ij D_j^−β − 2aβ x_j x_i D_j^(−β−1)`
  package func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    let beta = parameters.beta
    point.forEachItem(s, c, on: workers) { s, x, _, c in
      c.update(repeating: 0, count: point.count)
      forEachElement(of: x, count: point.count) { j, neighbors, divisor in
        c[j] += s[j] * pow(divisor, -beta)
        let slope = -2 * parameters.share * beta * x[j] * pow(divisor, -beta - 1) * s[j]
        for i in neighbors { c[i] += slope * x[i] }
      }
    }
  }
}
