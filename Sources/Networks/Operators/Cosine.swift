import Foundation

/// The cosine, of an angle in radians.
package struct Cosine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .cos }
  package func callAsFunction(_ x: Float) -> Float { cos(x) }
  package func derivative(at x: Float) -> Float { -sin(x) }
  package var keepsNonNegative: Bool { false }
  package var bounds: Interval? { Interval(-1, 1) }
  package func isDefined(on x: Interval) -> Bool { false }
}
