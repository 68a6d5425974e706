import RelevanceNetworks
import RelevanceTensors

extension Concat: DirectlyComputed { typealias Computed = ConcatKernel }

/// Concatenates tensors along an axis.
struct ConcatKernel: OperatorKernel, LinearKernel {
  private let outer: Int
  /// The number of elements of each operand for one index of the axes before the concatenated one.
  private let runs: [Int]

  init(_ concat: Concat, at site: KernelSite) {
    let operands = site.operands.map(\.shape)
    let axis = concat.axis < 0 ? concat.axis + operands[0].rank : concat.axis
    outer = operands[0].dimensions[..<axis].reduce(1, *)
    runs = operands.map { $0.dimensions[axis...].reduce(1, *) }
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands, y: output))
    forEachRun(outer: outer, on: workers) { operand, own, joined, count in
      let (x, y) = (shared.pointer.x[operand] + own, shared.pointer.y + joined)
      // Operands that were computed in their place in the result need no copy.
      if y != x { y.update(from: x, count: count) }
    }
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    let shared = Shared((s: upstream, results: results))
    forEachRun(outer: outer * seeds, on: workers) { operand, own, joined, count in
      if let result = shared.pointer.results[operand] {
        (result + own).update(from: shared.pointer.s + joined, count: count)
      }
    }
  }

  /// Calls `body` on all threads with parts of operands: their positions in the operand and in the result.
  private func forEachRun(
    outer: Int, on workers: Workers, _ body: @Sendable (_ operand: Int, _ own: Int, _ joined: Int, _ count: Int) -> Void
  ) {
    let all = runs.reduce(0, +)
    // Long runs are divided.
    let longest = 1 << 16
    let pieces = max((runs.max() ?? 0) / longest, 1)
    workers.runSplit(outer * pieces, grain: max(longest / max(all / pieces, 1), 1)) { part in
      for index in part {
        let (o, piece) = (index / pieces, index % pieces)
        var joined = o * all
        for (operand, run) in runs.enumerated() {
          let (from, to) = (run * piece / pieces, run * (piece + 1) / pieces)
          if to > from { body(operand, o * run + from, joined + from, to - from) }
          joined += run
        }
      }
    }
  }
}
