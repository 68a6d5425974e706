import Foundation

/// The hyperbolic cosine.
package struct HyperbolicCosine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .cosh }
  package func callAsFunction(_ x: Float) -> Float { cosh(x) }
  package func derivative(at x: Float) -> Float { sinh(x) }
  package var isNonNegative: Bool { true }
  package var turningPoints: [Float] { [0] }
}
