import CKernels
import Networks
import Tensors

/// Mean over neighboring axes; over height and width it is global average pooling.
package struct MeanKernel: LinearKernel, PoolingKernel {
  package let pooled: PooledElements
  /// The operand seen as outer × averaged × inner.
  private let outer: Int
  private let averaged: Int
  private let inner: Int

  init(_ mean: Reduction, at site: KernelSite) throws {
    let (input, axes) = (site.operands[0].shape, try mean.axes(of: site.operands).sorted())
    guard let first = axes.first, let last = axes.last, last - first == axes.count - 1 else {
      throw GraphError.shape(
        node: site.node.name, operator: OperatorKind.reduceMean.name,
        reason: "the mean over axes \(mean.namedAxes) is not supported: they must be neighbors")
    }
    pooled = .axes(Set(axes), of: input)
    outer = input.dimensions[..<first].reduce(1, *)
    averaged = input.dimensions[first...last].reduce(1, *)
    inner = input.dimensions[(last + 1)...].reduce(1, *)
  }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    sums(of: operands[0], output)
    rk_scale(output, output, 1 / Float(averaged), outer * inner)
  }

  private func sums(of x: Floats, _ y: MutableFloats) {
    if inner == 1 {
      for o in 0..<outer { y[o] = Float(rk_sum(x + o * averaged, averaged)) }
      return
    }
    y.update(repeating: 0, count: outer * inner)
    for o in 0..<outer {
      for a in 0..<averaged { rk_add(y + o * inner, y + o * inner, x + (o * averaged + a) * inner, inner) }
    }
  }

  package func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    for o in 0..<outer * seeds {
      for a in 0..<averaged {
        rk_scale(c + (o * averaged + a) * inner, upstream + o * inner, 1 / Float(averaged), inner)
      }
    }
  }
}
