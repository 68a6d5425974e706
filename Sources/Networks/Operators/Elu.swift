import Foundation

/// `x` where it is positive, otherwise `α (eˣ − 1)`.
package struct Elu: ElementwiseFunction {
  package let alpha: Float
  package init(alpha: Float) { self.alpha = alpha }
  package var kind: OperatorKind { .elu }
  package func callAsFunction(_ x: Float) -> Float { x > 0 ? x : alpha * expm1(x) }
  package func derivative(at x: Float) -> Float { x > 0 ? 1 : alpha * exp(x) }
  package var isRectifier: Bool { alpha == 0 }
  package var turningPoints: [Float] { alpha < 0 ? [0] : [] }
}
