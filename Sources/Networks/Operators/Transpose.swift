/// Reorders the axes: axis `i` of the output is axis `order[i]` of the operand. Nil reverses them.
package struct Transpose: Selecting {
  package let order: [Int]?
  package init(order: [Int]?) { self.order = order }

  package var kind: OperatorKind { .transpose }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let x = try operand(operands)
    let order = order ?? (0..<x.rank).reversed()
    guard order.sorted() == Array(0..<x.rank) else { throw Misfit("perm \(order) does not order the axes of \(x)") }
    let axes = Selection.everything(of: x)
    return Selection(input: x, axes: order.map { axes[$0] })
  }
}
