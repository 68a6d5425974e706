/// `x / (1 + |x|)`.
package struct Softsign: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .softsign }
  package func callAsFunction(_ x: Float) -> Float { x / (1 + abs(x)) }
  package func derivative(at x: Float) -> Float { 1 / ((1 + abs(x)) * (1 + abs(x))) }
  package var bounds: Interval? { Interval(-1, 1) }
}
