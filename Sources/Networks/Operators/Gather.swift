import RelevanceTensors

/// The first operand's elements at the indices in the second operand, along an axis. The axes of the indices replace
/// this axis.
package struct Gather: Selecting {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .gather }
  package var takesLists: Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? {
    guard operands.count == 2, let data = operands[0], let indices = operands[1] else { return nil }
    return data + indices - 1
  }

  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let indices = try integers(1, of: operands)
    let axis = try counted(axis, rank: x.rank)
    // The indices are one axis here; in the result they have their own shape.
    var axes = Selection.everything(of: x)
    axes[axis].indices = try indices.map { index in
      guard (-x[axis]..<x[axis]).contains(index) else {
        throw Misfit("index \(index) is outside axis \(axis) of shape \(x)")
      }
      return index < 0 ? index + x[axis] : index
    }
    let extents = x.dimensions[..<axis] + operands[1].shape.dimensions + x.dimensions[(axis + 1)...]
    return Selection(input: x, axes: axes, output: try TensorShape(checking: Array(extents)))
  }

  package func range(at site: RangeSite) -> ValueRange? {
    guard let selection = try? selection(of: site.operands) else { return nil }
    return site.range(0)?.selected(by: selection, gathering: axis < 0 ? axis + site.operands[0].shape.rank : axis)
  }
}
