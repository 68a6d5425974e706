import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// The mean over adjacent axes; over height and width it is global average pooling.
package struct MeanKernel: LinearKernel, PoolingKernel {
  package let pooled: PooledElements
  /// The operand as outer × averaged × inner.
  private let outer: Int
  private let averaged: Int
  private let inner: Int

  init(_ mean: Reduction, at site: KernelSite) throws {
    let (input, axes) = (site.operands[0].shape, try mean.axes(of: site.operands).sorted())
    guard let first = axes.first, let last = axes.last, last - first == axes.count - 1 else {
      throw GraphError.shape(
        node: site.node.name, operator: OperatorKind.reduceMean.name,
        reason: "the mean over axes \(mean.namedAxes) is not supported: expected adjacent axes")
    }
    pooled = .axes(Set(axes), of: input)
    outer = input.dimensions[..<first].reduce(1, *)
    averaged = input.dimensions[first...last].reduce(1, *)
    inner = input.dimensions[(last + 1)...].reduce(1, *)
  }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(outer, grain: max((1 << 15) / max(averaged * inner, 1), 1)) { items in
      let (x, y) = shared.pointer
      for o in items {
        if inner == 1 {
          y[o] = Float(rk_sum(x + o * averaged, averaged))
        } else {
          (y + o * inner).update(repeating: 0, count: inner)
          for a in 0..<averaged { rk_add(y + o * inner, y + o * inner, x + (o * averaged + a) * inner, inner) }
        }
      }
      let part = y + items.lowerBound * inner
      rk_scale(part, part, 1 / Float(averaged), items.count * inner)
    }
  }

  package func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    let shared = Shared((s: upstream, c: c))
    workers.runSplit(outer * seeds, grain: max((1 << 15) / max(averaged * inner, 1), 1)) { items in
      let (s, c) = shared.pointer
      for o in items {
        if inner == 1 {
          (c + o * averaged).update(repeating: s[o] * (1 / Float(averaged)), count: averaged)
        } else {
          for a in 0..<averaged { rk_scale(c + (o * averaged + a) * inner, s + o * inner, 1 / Float(averaged), inner) }
        }
      }
    }
  }
}
