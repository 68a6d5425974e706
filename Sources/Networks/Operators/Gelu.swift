import Foundation

/// `x Φ(x)`, where Φ is the cumulative distribution function of the normal distribution, exactly or with the tanh
/// approximation.
package struct Gelu: ElementwiseFunction {
  package let isApproximate: Bool
  package init(approximate: Bool) { isApproximate = approximate }
  package var kind: OperatorKind { .gelu }
  private static let scale = (2 / Float.pi).squareRoot()

  package func callAsFunction(_ x: Float) -> Float {
    isApproximate
      ? 0.5 * x * (1 + tanh(Self.scale * (x + 0.044715 * x * x * x))) : 0.5 * x * (1 + erf(x * Float(0.5).squareRoot()))
  }

  package func derivative(at x: Float) -> Float {
    guard isApproximate else {
      return 0.5 * (1 + erf(x * Float(0.5).squareRoot())) + x * exp(-0.5 * x * x) / (2 * Float.pi).squareRoot()
    }
    let t = tanh(Self.scale * (x + 0.044715 * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Self.scale * (1 + 3 * 0.044715 * x * x)
  }

  package var turningPoints: [Float] { [isApproximate ? -0.7524614 : -0.7517915] }
}
