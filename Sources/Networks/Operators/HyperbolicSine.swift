import Foundation

/// The hyperbolic sine.
package struct HyperbolicSine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .sinh }
  package func callAsFunction(_ x: Float) -> Float { sinh(x) }
  package func derivative(at x: Float) -> Float { cosh(x) }
}
