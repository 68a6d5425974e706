import Networks
import Tensors

/// Another size of some axes, by shares of four neighbors along each.
struct CubicResizeKernel: LinearKernel {
  private let input: TensorShape
  private let output: TensorShape
  private let weights: [[(index: Int, weight: Float)]?]
  /// What interpolated values are rounded to, toward zero; nil for real numbers.
  private let type: IntegerType?

  init(_ resize: Resize, at site: KernelSite) throws {
    (type, input, output) = (site.output.kind.integerType, site.operands[0].shape, site.output.shape)
    weights = try resize.cubicWeights(of: site.operands)
  }

  func forward(_ operands: [Floats], _ result: MutableFloats, on workers: Workers) {
    eachAxis(forward: true, items: 1, operands[0], result, workers.pool)
    if type != nil { for i in 0..<output.count { result[i].round(.towardZero) } }
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    eachAxis(forward: false, items: seeds, upstream, c, workers.pool)
  }

  /// Changes one axis after the other; adjoints do it in the opposite order.
  private func eachAxis(forward: Bool, items: Int, _ source: Floats, _ target: MutableFloats, _ pool: MemoryPool) {
    var extents = forward ? input.dimensions : output.dimensions
    let changed = weights.indices.filter { weights[$0] != nil }
    var current = pool.storage(count: items * TensorShape(extents).count)
    current.base.update(from: source, count: current.count)
    for axis in forward ? changed : changed.reversed() {
      let outer = items * extents[..<axis].reduce(1, *)
      let inner = extents[(axis + 1)...].reduce(1, *)
      let (from, to) = (extents[axis], forward ? output[axis] : input[axis])
      extents[axis] = to
      let next = pool.storage(count: items * TensorShape(extents).count)
      next.base.update(repeating: 0, count: next.count)
      for o in 0..<outer {
        let (x, y) = (current.base + o * from * inner, next.base + o * to * inner)
        for (place, entry) in (weights[axis] ?? []).enumerated() {
          let (source, target) = forward ? (entry.index, place / 4) : (place / 4, entry.index)
          for i in 0..<inner { y[target * inner + i] += x[source * inner + i] * entry.weight }
        }
      }
      current = next
    }
    target.update(from: current.base, count: current.count)
  }
}
