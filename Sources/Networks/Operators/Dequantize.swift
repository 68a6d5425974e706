import RelevanceTensors

/// The real numbers that integers represent, `(q − zero) · scale`.
package struct Dequantize: Operator {
  package let steps: QuantizationSteps
  package let type: IntegerType
  /// The smallest integer.
  private let lowest: Int

  package init(_ steps: QuantizationSteps, from type: IntegerType, lowest: Int? = nil) {
    (self.steps, self.type, self.lowest) = (steps, type, lowest ?? type.lowest)
  }

  package var kind: OperatorKind { .dequantizeLinear }
  package var parameters: [Tensor] { [steps.scale, steps.zero] }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .real }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    try steps.check(x)
    return x
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool {
    let least = operands.first == true ? max(Float(lowest), 0) : Float(lowest)
    return steps.zero.allElements { $0 <= least } && steps.scale.allElements { $0 >= 0 }
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let x = operands.first?.literal else { return nil }
    return .floats(try values(of: x))
  }

  /// - Throws: `Misfit`.
  package func values(of integers: Literal) throws -> Tensor {
    try steps.check(integers.shape)
    return steps.map(integers.floats) { ($0 - $2) * $1 }
  }

  package func range(at site: RangeSite) -> ValueRange? {
    steps.range(site.range(0)) { q, scale, zero in Interval(of: [(q.lower - zero) * scale, (q.upper - zero) * scale]) }
  }
}
