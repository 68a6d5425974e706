import CRelevanceKernels
import Foundation
import RelevanceNetworks
import RelevanceTensors

extension Softmax: DirectlyComputed { typealias Computed = SoftmaxKernel }

/// Probabilities or their logarithms.
struct SoftmaxKernel: OperatorKernel, DifferentiableKernel {
  private let outer: Int
  private let classes: Int
  private let inner: Int
  private let logarithm: Bool

  init(_ softmax: Softmax, at site: KernelSite) {
    let shape = site.output.shape
    let axis = softmax.axis < 0 ? softmax.axis + shape.rank : softmax.axis
    outer = shape.dimensions[..<axis].reduce(1, *)
    classes = softmax.joinsTrailingAxes ? shape.dimensions[axis...].reduce(1, *) : shape[axis]
    inner = softmax.joinsTrailingAxes ? 1 : shape.dimensions[(axis + 1)...].reduce(1, *)
    logarithm = softmax.isLogarithm
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(outer, grain: max((1 << 13) / max(classes * inner, 1), 1)) { items in
      for o in items {
        let (x, y) = (shared.pointer.x + o * classes * inner, shared.pointer.y + o * classes * inner)
        if inner == 1 {
          rk_softmax(y, x, logarithm ? 1 : 0, classes)
        } else {
          for i in 0..<inner { column(x + i, y + i) }
        }
      }
    }
  }

  /// The softmax of elements that are `inner` apart.
  private func column(_ x: Floats, _ y: MutableFloats) {
    var largest = -Float.infinity
    for c in 0..<classes { largest = max(largest, x[c * inner]) }
    var sum = 0.0
    for c in 0..<classes { sum += exp(Double(x[c * inner] - largest)) }
    for c in 0..<classes {
      let shifted = Double(x[c * inner] - largest)
      y[c * inner] = Float(logarithm ? shifted - log(sum) : exp(shifted) / sum)
    }
  }

  /// Softmax: `y_i (s_i − Σ_j y_j s_j)`; its logarithm: `s_i − softmax_i Σ_j s_j`.
  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    let shared = Shared((s: s, c: c))
    let (size, blocks) = (classes * inner, point.count / max(classes * inner, 1))
    workers.runSplit(point.items * point.seeds * blocks, grain: max((1 << 13) / max(size, 1), 1)) { tasks in
      for task in tasks {
        let at = task / blocks * point.count + task % blocks * size
        let (s, c) = (shared.pointer.s + at, shared.pointer.c + at)
        let y = point.y + task / blocks / point.seeds * point.count + task % blocks * size
        if inner == 1 { rk_softmax_adjoint(c, s, y, logarithm ? 1 : 0, classes) } else { column(s, y, c) }
      }
    }
  }

  /// The derivative for elements that are `inner` apart.
  private func column(_ s: Floats, _ y: Floats, _ c: MutableFloats) {
    for i in 0..<inner {
      let row = stride(from: i, to: classes * inner, by: inner)
      if logarithm {
        let sum = Float(row.reduce(0.0) { $0 + Double(s[$1]) })
        for at in row { c[at] = s[at] - exp(y[at]) * sum }
      } else {
        let sum = Float(row.reduce(0.0) { $0 + Double(y[$1]) * Double(s[$1]) })
        for at in row { c[at] = y[at] * (s[at] - sum) }
      }
    }
  }
}
