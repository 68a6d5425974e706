import RelevanceTensors

/// Repeats the operand along each axis. The second operand contains the number of repetitions for each axis.
package struct Tile: Selecting {
  package init() {}
  package var kind: OperatorKind { .tile }
  package var takesLists: Bool { true }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try firstShape(operands)
    let repeats = try integers(1, of: operands)
    guard repeats.count == x.rank, repeats.allSatisfy({ $0 >= 0 }) else {
      throw Misfit("repeats are \(repeats); expected \(x.rank) numbers ≥ 0")
    }
    let extents = zip(x.dimensions, repeats).map { $0.multipliedReportingOverflow(by: $1) }
    guard !extents.contains(where: \.overflow) else { throw Misfit("repeats \(repeats) are too large") }
    let output = try TensorShape(checking: extents.map(\.partialValue))
    guard output.count <= 1 << 28 else { throw Misfit("a tensor of shape \(output) is too large") }
    return Selection(
      input: x, axes: (0..<x.rank).map { axis in (axis, (0..<output[axis]).map { $0 % x[axis] }) })
  }
}
