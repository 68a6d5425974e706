import Foundation

/// The tangent, of an angle in radians.
package struct Tangent: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .tan }
  package func callAsFunction(_ x: Float) -> Float { tan(x) }
  package func derivative(at x: Float) -> Float { 1 / (cos(x) * cos(x)) }
  package var keepsNonNegative: Bool { false }
  package func isDefined(on x: Interval) -> Bool { false }
}
