import Foundation

/// The sine, of an angle in radians.
package struct Sine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .sin }
  package func callAsFunction(_ x: Float) -> Float { sin(x) }
  package func derivative(at x: Float) -> Float { cos(x) }
  package var keepsNonNegative: Bool { false }
  package var bounds: Interval? { Interval(-1, 1) }
  package func isDefined(on x: Interval) -> Bool { false }
}
