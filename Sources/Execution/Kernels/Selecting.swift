import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// Selects elements of the operand, or inserts a constant: Slice, Split, Gather, Pad, Expand.
///
/// The selection is stored as runs of neighboring elements, which are copied together.
struct SelectionKernel: LinearKernel {
  private struct Run {
    let to: Int
    /// −1 for the constant.
    let from: Int
    var count: Int
  }
  private let runs: [Run]
  private let selection: Selection
  /// The number of items of the batch to which the selection applies equally.
  private let items: Int

  init(_ selection: Selection) {
    // A selection that keeps the batch axis needs a description of one item only.
    let single = selection.forOneItem()
    self.selection = single ?? selection
    items = single == nil ? 1 : selection.input[0]
    var runs: [Run] = []
    for (position, source) in self.selection.sources().enumerated() {
      if let last = runs.last, source < 0 ? last.from < 0 : last.from >= 0 && last.from + last.count == source {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(to: position, from: source, count: 1))
      }
    }
    self.runs = runs
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    // The number of runs that justifies a task.
    let grain = max((1 << 16) / max(selection.output.count / max(runs.count, 1), 1), 1)
    let parts = max((runs.count + grain - 1) / grain, 1)
    workers.run(items * parts) { task in
      let x = shared.pointer.x + task / parts * selection.input.count
      let y = shared.pointer.y + task / parts * selection.output.count
      for run in runs[min(task % parts * grain, runs.count)..<min((task % parts + 1) * grain, runs.count)] {
        if run.from < 0 {
          (y + run.to).update(repeating: selection.fill, count: run.count)
        } else {
          (y + run.to).update(from: x + run.from, count: run.count)
        }
      }
    }
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let result = results[0] else { return }
    let shared = Shared((s: upstream, c: result))
    workers.run(items * seeds) { item in
      let c = shared.pointer.c + item * selection.input.count
      let s = shared.pointer.s + item * selection.output.count
      c.update(repeating: 0, count: selection.input.count)
      for run in runs where run.from >= 0 { rk_add(c + run.from, c + run.from, s + run.to, run.count) }
    }
  }
}
