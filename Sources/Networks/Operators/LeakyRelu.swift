/// `x` where it is positive, otherwise `α x`.
package struct LeakyRelu: ElementwiseFunction {
  package let alpha: Float
  package init(alpha: Float) { self.alpha = alpha }
  package var kind: OperatorKind { .leakyRelu }
  package func callAsFunction(_ x: Float) -> Float { x > 0 ? x : alpha * x }
  package func derivative(at x: Float) -> Float { x > 0 ? 1 : alpha }
  package var isRectifier: Bool { alpha == 0 }
  package var turningPoints: [Float] { alpha < 0 ? [0] : [] }
}
