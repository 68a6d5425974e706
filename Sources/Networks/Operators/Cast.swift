import RelevanceTensors

/// The same values as real numbers, as integers of a type, or as Boolean values.
package struct Cast: Operator {
  package let target: ElementKind
  package init(to target: ElementKind) { self.target = target }

  // A cast to Boolean values is a decision.
  package var kind: OperatorKind { target == .truth ? .logic : .cast }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try operand(operands) }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { target }
  package func isStepwise(of operands: [ElementKind]) -> Bool { !target.holds(operands.first ?? .real) }
  package func literal(of operands: [Inferred]) throws -> Literal? { operands.first?.literal?.cast(to: target) }
  package var keepsElements: Bool { target == .real }
  package var isLinear: Bool { target == .real }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    target == .real ? AffineEffect(isPositive: true, shifts: false) : nil
  }

  package func range(at site: RangeSite) -> ValueRange? {
    guard let x = site.range(0) else { return nil }
    switch target {
    case .real: return x
    // Fractions are removed, or kept if the cast changes only the name of the type.
    case .integer:
      return x.mapped {
        Interval(min($0.lower, $0.lower.rounded(.towardZero)), max($0.upper, $0.upper.rounded(.towardZero)))
      }
    case .truth: return x.including(0)?.including(1)
    }
  }
}
