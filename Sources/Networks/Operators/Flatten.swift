import RelevanceTensors

/// Joins the axes before `axis` into one axis, and those from `axis` on into another.
package struct Flatten: Reshaping {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .flatten }
  package func outputRank(of operands: [Int?]) -> Int? { 2 }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    let axis = axis < 0 ? axis + x.rank : axis
    guard (0...x.rank).contains(axis) else { throw Misfit("axis \(axis) is outside shape \(x)") }
    return TensorShape([x.dimensions[..<axis].reduce(1, *), x.dimensions[axis...].reduce(1, *)])
  }
}
