import Foundation

/// `γ x` where x is positive, otherwise `γ α (eˣ − 1)`.
package struct Selu: ElementwiseFunction {
  package let alpha: Float
  package let gamma: Float
  package init(alpha: Float, gamma: Float) { (self.alpha, self.gamma) = (alpha, gamma) }

  package var kind: OperatorKind { .selu }
  package func callAsFunction(_ x: Float) -> Float { gamma * (x > 0 ? x : alpha * expm1(x)) }
  package func derivative(at x: Float) -> Float { gamma * (x > 0 ? 1 : alpha * exp(x)) }
  package var keepsNonNegative: Bool { gamma >= 0 }
  package var turningPoints: [Float] { alpha < 0 ? [0] : [] }
}
