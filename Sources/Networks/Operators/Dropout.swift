import Tensors

/// Dropout, which does nothing in inference.
package struct Dropout: Operator {
  package init() {}
  package var kind: OperatorKind { .dropout }
  package var keepsElements: Bool { true }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try operand(operands) }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package var isLinear: Bool { true }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func isBounded(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func range(at site: RangeSite) -> ValueRange? { site.range(0) }
  package func literal(of operands: [Inferred]) throws -> Literal? { operands.first?.literal }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: true, shifts: false)
  }
}

extension OperatorKind {
  /// Nothing in inference.
  public static let dropout = OperatorKind("Dropout", .nothing)
}
