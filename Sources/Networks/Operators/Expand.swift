import RelevanceTensors

/// Repeats the operand along axes of extent 1 to the extents in the second operand.
package struct Expand: Selecting {
  package init() {}
  package var kind: OperatorKind { .expand }
  package var takesLists: Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? { nil }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let extents = try integers(1, of: operands)
    guard let output = x.broadcast(with: try TensorShape(checking: extents)) else {
      throw Misfit("\(x) does not expand to \(extents)")
    }
    let new = output.rank - x.rank
    return Selection(
      input: x,
      axes: (0..<output.rank).map { axis in
        axis < new || x[axis - new] == 1
          ? (nil, [Int](repeating: 0, count: output[axis])) : (axis - new, Array(0..<output[axis]))
      })
  }
}
