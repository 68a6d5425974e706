/// `min(max(α x + β, 0), 1)`.
package struct HardSigmoid: ElementwiseFunction {
  package let alpha: Float
  package let beta: Float
  package init(alpha: Float, beta: Float) { (self.alpha, self.beta) = (alpha, beta) }
  package var kind: OperatorKind { .hardSigmoid }
  package func callAsFunction(_ x: Float) -> Float { Swift.min(Swift.max(alpha * x + beta, 0), 1) }
  package func derivative(at x: Float) -> Float { alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0 }
  package var isNonNegative: Bool { true }
  package var bounds: Interval? { Interval(0, 1) }
}
