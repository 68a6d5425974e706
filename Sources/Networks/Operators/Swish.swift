import Foundation

/// `x · σ(α x)`.
package struct Swish: ElementwiseFunction {
  package let alpha: Float
  package init(alpha: Float) { self.alpha = alpha }
  package var kind: OperatorKind { .swish }
  package func callAsFunction(_ x: Float) -> Float { x / (1 + exp(-alpha * x)) }
  package func derivative(at x: Float) -> Float { derivative(of: alpha * x) }
  /// σ(z) (1 + z (1 − σ(z))) with `z = α x`.
  private func derivative(of z: Float) -> Float {
    let sigmoid = 1 / (1 + exp(-z))
    return sigmoid * (1 + z * (1 - sigmoid))
  }
  package var turningPoints: [Float] { alpha == 0 ? [] : [-1.2784645 / alpha] }
}
