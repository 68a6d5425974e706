import RelevanceTensors

/// 1 at the largest element along an axis (the first one of several), and 0 elsewhere.
package struct Hardmax: Operator {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .hardmax }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    _ = try counted(axis, rank: x.rank)
    return x
  }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .mixed([try counted(axis, rank: try firstShape(operands).rank)])
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { true }
  package func range(at site: RangeSite) -> ValueRange? { ValueRange(0, 1, rank: site.output.shape.rank) }
}
