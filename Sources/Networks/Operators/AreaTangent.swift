import Foundation

/// The inverse of the hyperbolic tangent, of numbers between −1 and 1.
package struct AreaTangent: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .atanh }
  package func callAsFunction(_ x: Float) -> Float { atanh(x) }
  package func derivative(at x: Float) -> Float { 1 / (1 - x * x) }
  package func isDefined(on x: Interval) -> Bool { x.lower >= -1 && x.upper <= 1 }
}
