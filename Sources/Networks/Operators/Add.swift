import RelevanceTensors

/// `a + b`.
package struct Add: PairwiseFunction {
  package init() {}
  package var kind: OperatorKind { .add }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { a + b }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (1, 1) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { type.wrapped(a &+ b) }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? {
    Interval(of: [a.lower + b.lower, a.upper + b.upper])
  }
  package var isLinear: Bool { true }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: true, shifts: !(constant?.allElements { $0 == 0 } ?? false))
  }
}
