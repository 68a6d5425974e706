/// Part `index` of `count` equal parts along an axis (the last part may be smaller): an output of `Split`.
package struct Part: Selecting, Hashable {
  package let axis: Int
  package let index: Int
  package let count: Int
  package init(axis: Int, index: Int, count: Int) { (self.axis, self.index, self.count) = (axis, index, count) }

  package var kind: OperatorKind { .slice }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try operand(operands)
    let axis = try counted(axis, rank: x.rank)
    let extent = (x[axis] + count - 1) / count
    let first = min(index * extent, x[axis])
    var axes = Selection.everything(of: x)
    axes[axis].indices = Array(first..<min(first + extent, x[axis]))
    return Selection(input: x, axes: axes)
  }
}
