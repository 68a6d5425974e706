import RelevanceTensors

/// `a / b`. Quotients of integers are rounded toward zero.
package struct Divide: PairwiseFunction {
  package init() {}
  package var kind: OperatorKind { .div }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { a / b }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (1 / b, -a / (b * b)) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { type.quotient(a, b) }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? {
    b.contains(0) ? nil : a.corners(with: b) { $0 / $1 }
  }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    operand == 0 ? AffineEffect(isPositive: constant?.allElements { $0 >= 0 } ?? false, shifts: false) : nil
  }
}
