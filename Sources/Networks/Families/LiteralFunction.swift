import RelevanceTensors

/// A function that is only evaluated on values that are known before the network runs. Exporters write such functions
/// for shape arithmetic.
package protocol LiteralFunction: Operator {
  /// The value; nil if it does not exist for the operands.
  ///
  /// - Throws: `Misfit`.
  func value(of operands: [Literal]) throws -> Literal?
}

extension LiteralFunction {
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { throw Misfit(Self.needsShapes) }
  package func outputRank(of operands: [Int?]) -> Int? { nil }
  package func origin(of operands: [Inferred]) throws -> Origin { throw Misfit(Self.needsShapes) }
  package func literal(of operands: [Inferred]) throws -> Literal? { try value(of: operands.compactMap(\.literal)) }
}
