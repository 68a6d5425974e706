import RelevanceTensors

/// `a − b`.
package struct Subtract: PairwiseFunction {
  package init() {}
  package var kind: OperatorKind { .sub }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { a - b }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (1, -1) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { type.wrapped(a &- b) }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? {
    Interval(of: [a.lower - b.upper, a.upper - b.lower])
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { false }
  package var isLinear: Bool { true }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: operand == 0, shifts: !(constant?.allElements { $0 == 0 } ?? false))
  }
}
