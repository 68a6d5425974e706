/// Part of a tensor: along some axes, every `step`th element from `start` on, before `end`.
package struct Slice: Selecting {
  /// The first indices; a negative index counts from the end.
  package let starts: List
  /// The indices after the last ones; a negative index counts from the end.
  package let ends: List
  /// The axes. Nil means the leading axes.
  package let axes: List?
  /// The steps. Nil means 1.
  package let steps: List?

  package init(starts: List, ends: List, axes: List? = nil, steps: List? = nil) {
    (self.starts, self.ends, self.axes, self.steps) = (starts, ends, axes, steps)
  }

  package var kind: OperatorKind { .slice }
  package var takesLists: Bool { true }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let starts = try self.starts.values(operands, "starts")
    let ends = try self.ends.values(operands, "ends")
    let axes = try self.axes?.values(operands, "axes") ?? Array(starts.indices)
    let steps = try self.steps?.values(operands, "steps") ?? starts.map { _ in 1 }
    guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
      throw Misfit(
        "starts, ends, axes and steps have \(starts.count), \(ends.count), \(axes.count) and \(steps.count) numbers; "
          + "expected the same number")
    }
    var picked = Selection.everything(of: x)
    for i in axes.indices {
      let axis = try counted(axes[i], rank: x.rank)
      picked[axis].indices = try Self.indices(from: starts[i], to: ends[i], by: steps[i], extent: x[axis])
    }
    return Selection(input: x, axes: picked)
  }

  private static func indices(from start: Int, to end: Int, by step: Int, extent: Int) throws -> [Int] {
    guard step != 0, step != Int.min else { throw Misfit("a step is 0 or out of range; expected another number") }
    func clamped(_ index: Int, _ range: ClosedRange<Int>) -> Int {
      min(max(index < 0 ? max(index, -extent - 1) + extent : index, range.lowerBound), range.upperBound)
    }
    if step > 0 {
      let (from, to) = (clamped(start, 0...extent), clamped(end, 0...extent))
      return from < to ? Array(stride(from: from, to: to, by: step)) : []
    }
    guard extent > 0 else { return [] }
    let from = clamped(start, 0...extent - 1)
    let to = end < -extent ? -1 : clamped(end, -1...extent - 1)
    return from > to ? Array(stride(from: from, to: to, by: step)) : []
  }
}
