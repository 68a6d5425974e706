import Foundation

/// The inverse of the hyperbolic sine.
package struct AreaSine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .asinh }
  package func callAsFunction(_ x: Float) -> Float { asinh(x) }
  package func derivative(at x: Float) -> Float { 1 / (1 + x * x).squareRoot() }
}
