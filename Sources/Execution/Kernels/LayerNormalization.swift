import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension LayerNormalization: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    NormalizationKernel(
      shape: site.output.shape, size: scale.count, scale: scale, shift: shift, sharing: 1, epsilon: epsilon,
      isCentered: isCentered)
  }
}

/// Normalizes groups of neighboring elements to mean 0 and variance 1, then scales and shifts them: `y = scale·(x −
/// mean)/√(variance + ε) + shift`.
package struct NormalizationKernel: DifferentiableKernel {
  private let shape: TensorShape
  /// The number of elements that are normalized together.
  private let size: Int
  private let scale: Tensor
  private var shift: Tensor?
  /// The number of neighboring elements that share a scale and a shift.
  private let run: Int
  private let epsilon: Float
  private let isCentered: Bool
  /// Whether derivatives treat the standard deviation as a constant.
  private var holdsDeviation = false

  init(
    shape: TensorShape, size: Int, scale: Tensor, shift: Tensor?, sharing run: Int, epsilon: Float,
    isCentered: Bool = true
  ) {
    (self.shape, self.size, self.scale, self.shift) = (shape, max(size, 1), scale, shift)
    (self.run, self.epsilon, self.isCentered) = (max(run, 1), epsilon, isCentered)
  }

  /// The normalization with a constant standard deviation: a linear map, without the shift.
  package var withHeldDeviation: NormalizationKernel {
    var held = self
    (held.shift, held.holdsDeviation) = (nil, true)
    return held
  }

  /// The mean and `1/√(variance + ε)` of a group.
  private func statistics(of x: Floats) -> (mean: Double, factor: Double) {
    var (mean, variance) = (0.0, 0.0)
    rk_mean_and_variance(x, size, isCentered ? 1 : 0, &mean, &variance)
    return (mean, 1 / (variance + Double(epsilon)).squareRoot())
  }

  /// The index of an element's scale and shift.
  private func parameter(ofElement element: Int) -> Int { element / run % scale.count }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    let (scales, shifts) = (scale.elements, shift?.elements)
    workers.runSplit(shape.count / size, grain: max((1 << 14) / size, 1)) { groups in
      for group in groups {
        let start = group * size
        let (x, y) = (shared.pointer.x, shared.pointer.y)
        let (mean, factor) = statistics(of: x + start)
        // Neighboring elements have neighboring parameters, or the same ones.
        var at = start
        while at < start + size {
          let parameter = parameter(ofElement: at)
          let rest = start + size - at
          if run == 1 {
            let count = min(rest, scales.count - parameter)
            scales.withUnsafeBufferPointer { scales in
              guard let shifts else {
                return rk_normalize(
                  y + at, x + at, Float(mean), Float(factor), scales.baseAddress! + parameter, nil, count)
              }
              shifts.withUnsafeBufferPointer {
                rk_normalize(
                  y + at, x + at, Float(mean), Float(factor), scales.baseAddress! + parameter,
                  $0.baseAddress! + parameter, count)
              }
            }
            at += count
          } else {
            let count = min(rest, run - at % run)
            rk_normalize_alike(
              y + at, x + at, Float(mean), Float(factor), scales[parameter], shifts?[parameter] ?? 0, count)
            at += count
          }
        }
      }
    }
  }

  /// `∂y_j/∂x_i = g_j/σ (δ_ij − 1/n − x̂_i x̂_j / n)` with `x̂ = (x − mean)/σ`; without the last term if the standard
  /// deviation is constant, and without `1/n` if no mean is subtracted.
  package func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    let shared = Shared((s: s, c: c))
    let groups = point.count / size
    workers.runSplit(point.items * point.seeds * groups, grain: max((1 << 14) / size, 1)) { tasks in
      for task in tasks {
        let (item, start) = (task / groups, task % groups * size)
        let c = shared.pointer.c + item * point.count + start
        let x = point.x + item / point.seeds * point.count + start
        scaled(shared.pointer.s + item * point.count + start, from: start, c)
        let (mean, factor) = statistics(of: x)
        rk_normalization_adjoint(c, x, mean, factor, isCentered ? 1 : 0, holdsDeviation ? 1 : 0, size)
      }
    }
  }

  /// `c ← scale·s` for the group that starts at an element.
  private func scaled(_ s: Floats, from start: Int, _ c: MutableFloats) {
    scale.withUnsafeElements { scales in
      var at = 0
      while at < size {
        let parameter = parameter(ofElement: start + at)
        // Neighboring elements have neighboring parameters, or the same ones.
        if run == 1 {
          let count = min(size - at, scales.count - parameter)
          rk_multiply(c + at, s + at, scales.baseAddress! + parameter, count)
          at += count
        } else {
          let count = min(size - at, run - (start + at) % run)
          rk_scale(c + at, s + at, scales[parameter], count)
          at += count
        }
      }
    }
  }
}
