import Foundation

/// `x · tanh(log(1 + eˣ))`.
package struct Mish: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .mish }
  private static let softplus = Softplus()
  package func callAsFunction(_ x: Float) -> Float { x * tanh(Self.softplus(x)) }
  package func derivative(at x: Float) -> Float {
    let t = tanh(Self.softplus(x))
    return t + x * (1 - t * t) * Self.softplus.derivative(at: x)
  }
  package var turningPoints: [Float] { [-1.1924312] }
}
