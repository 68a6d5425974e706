import RelevanceNetworks
import RelevanceTensors

extension Hardmax: DirectlyComputed { typealias Computed = HardmaxKernel }

/// 1 at the largest element along an axis, 0 elsewhere; it changes in steps.
struct HardmaxKernel: OperatorKernel, DifferentiableKernel {
  private let outer: Int
  private let extent: Int
  private let inner: Int

  init(_ hardmax: Hardmax, at site: KernelSite) {
    let shape = site.output.shape
    let axis = hardmax.axis < 0 ? hardmax.axis + shape.rank : hardmax.axis
    (outer, extent, inner) = (
      shape.dimensions[..<axis].reduce(1, *), shape[axis], shape.dimensions[(axis + 1)...].reduce(1, *)
    )
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    output.update(repeating: 0, count: outer * extent * inner)
    guard extent > 0 else { return }
    for start in (0..<outer * inner).map({ $0 / inner * extent * inner + $0 % inner }) {
      var largest = start
      for at in stride(from: start, to: start + extent * inner, by: inner) where operands[0][at] > operands[0][largest]
      {
        largest = at
      }
      output[largest] = 1
    }
  }

  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    point.forEachItem(s, c, on: workers) { _, _, _, c in c.update(repeating: 0, count: point.count) }
  }
}
