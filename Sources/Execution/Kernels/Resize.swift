import RelevanceNetworks
import RelevanceTensors

extension Resize: DirectlyComputed { typealias Computed = ResizeKernel }

/// Resizes axes by weighted neighbors along each axis.
struct ResizeKernel: OperatorKernel, LinearKernel {
  private let input: TensorShape
  private let output: TensorShape
  private let taps: [[[Resize.Tap]]?]
  /// Output elements outside the cropped region, and their value.
  private let outside: (positions: [Int], value: Float)

  /// The integer type to which interpolated values are rounded toward zero; nil for real numbers.
  private let type: IntegerType?

  init(_ resize: Resize, at site: KernelSite) throws {
    (type, input, output) = (site.output.kind.integerType, site.operands[0].shape, site.output.shape)
    let taps = try resize.taps(of: site.operands)
    self.taps = taps
    let fill = resize.crop?.fill ?? 0
    let strides = output.strides
    let shape = output
    let positions =
      fill == 0
      ? []
      : (0..<shape.count).filter { at in
        shape.dimensions.indices.contains { axis in
          taps[axis].map { $0[at / strides[axis] % shape[axis]].isEmpty } ?? false
        }
      }
    outside = (positions, fill)
  }

  func forward(_ operands: [Floats], _ result: MutableFloats, on workers: Workers) {
    eachAxis(forward: true, items: 1, operands[0], result, workers.pool)
    for position in outside.positions { result[position] = outside.value }
    if type != nil { for i in 0..<output.count { result[i].round(.towardZero) } }
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    eachAxis(forward: false, items: seeds, upstream, c, workers.pool)
  }

  /// Resizes one axis after the other; the adjoint uses the opposite order.
  private func eachAxis(forward: Bool, items: Int, _ source: Floats, _ target: MutableFloats, _ pool: MemoryPool) {
    var extents = forward ? input.dimensions : output.dimensions
    let changed = taps.indices.filter { taps[$0] != nil }
    var current = pool.storage(count: items * TensorShape(extents).count)
    current.base.update(from: source, count: current.count)
    for axis in forward ? changed : changed.reversed() {
      let outer = items * extents[..<axis].reduce(1, *)
      let inner = extents[(axis + 1)...].reduce(1, *)
      let (from, to) = (extents[axis], forward ? output[axis] : input[axis])
      extents[axis] = to
      let next = pool.storage(count: items * TensorShape(extents).count)
      if !forward { next.base.update(repeating: 0, count: next.count) }
      for o in 0..<outer {
        let (x, y) = (current.base + o * from * inner, next.base + o * to * inner)
        for (index, taps) in (taps[axis] ?? []).enumerated() {
          if forward {
            mix(taps, x, y + index * inner, inner)
          } else {
            for tap in taps {
              for i in 0..<inner { y[tap.index * inner + i] += x[index * inner + i] * tap.weight }
            }
          }
        }
      }
      current = next
    }
    target.update(from: current.base, count: current.count)
  }

  /// `y ← Σ weight · x[index]`, for runs of elements.
  private func mix(_ taps: [Resize.Tap], _ x: Floats, _ y: MutableFloats, _ count: Int) {
    guard let first = taps.first else { return y.update(repeating: 0, count: count) }
    let a = x + first.index * count
    if taps.count == 1, first.weight == 1 { return y.update(from: a, count: count) }
    guard taps.count == 2 else {
      for i in 0..<count { y[i] = a[i] * first.weight }
      for tap in taps.dropFirst() {
        for i in 0..<count { y[i] += x[tap.index * count + i] * tap.weight }
      }
      return
    }
    let b = x + taps[1].index * count
    for i in 0..<count { y[i] = a[i] * first.weight + b[i] * taps[1].weight }
  }
}
