import Foundation

/// `x` where it is positive, otherwise `α (exp(x/α) − 1)`.
package struct Celu: ElementwiseFunction {
  package let alpha: Float
  package init(alpha: Float) { self.alpha = alpha }
  package var kind: OperatorKind { .celu }
  package func callAsFunction(_ x: Float) -> Float { Swift.max(x, 0) + Swift.min(0, alpha * expm1(x / alpha)) }
  package func derivative(at x: Float) -> Float { x > 0 ? 1 : exp(x / alpha) }
  package var turningPoints: [Float] { alpha < 0 ? [0] : [] }
}
