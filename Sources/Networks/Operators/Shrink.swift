/// `x` shifted toward 0 by a bias where its magnitude exceeds λ, otherwise 0.
package struct Shrink: ElementwiseFunction {
  package let bias: Float
  package let lambda: Float
  package init(bias: Float, lambda: Float) { (self.bias, self.lambda) = (bias, lambda) }
  package var kind: OperatorKind { .shrink }
  package func callAsFunction(_ x: Float) -> Float { x < -lambda ? x + bias : x > lambda ? x - bias : 0 }
  package func derivative(at x: Float) -> Float { x < -lambda || x > lambda ? 1 : 0 }
  package var keepsNonNegative: Bool { bias <= Swift.max(lambda, 0) }
  package var turningPoints: [Float] { [-lambda, (-lambda).nextDown, lambda, lambda.nextUp] }
}
