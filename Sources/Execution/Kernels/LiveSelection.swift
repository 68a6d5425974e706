import RelevanceNetworks
import RelevanceTensors

extension LiveSelection: DirectlyComputed { typealias Computed = LiveSelectionKernel }

/// Elements at indices that depend on the image. An index outside its axis gives NaN.
struct LiveSelectionKernel: OperatorKernel, GuidedKernel {
  private let selection: LiveSelection
  private let data: TensorShape
  private let indices: TensorShape

  init(_ selection: LiveSelection, at site: KernelSite) {
    (self.selection, data, indices) = (selection, site.operands[0].shape, site.operands[1].shape)
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let (starts, count) = selection.runs(of: data, indices) { operands[1][$0] }
    for (number, start) in starts.enumerated() {
      let target = output + number * count
      if let start {
        target.update(from: operands[0] + start, count: count)
      } else {
        target.update(repeating: .nan, count: count)
      }
    }
  }

  func adjoint(
    _ upstream: Floats, at operands: [Floats], items: Int, seeds: Int, _ results: [MutableFloats?], on workers: Workers
  ) {
    results[1]?.update(repeating: 0, count: indices.count * seeds)
    guard let c = results[0] else { return }
    c.update(repeating: 0, count: data.count * seeds)
    let (starts, count) = selection.runs(of: data, indices) { operands[1][$0] }
    // The seeds of an item of the batch are adjacent, and items do not affect each other.
    let (runs, size) = (starts.count / max(items, 1), data.count / max(items, 1))
    for (number, start) in starts.enumerated() {
      guard let start else { continue }
      let item = number / max(runs, 1)
      for seed in item * seeds..<(item + 1) * seeds {
        let source = upstream + (seed * runs + number % runs) * count
        let target = c + seed * size + start - item * size
        for i in 0..<count { target[i] += source[i] }
      }
    }
  }
}
