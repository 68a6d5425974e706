import Foundation

/// The angle whose sine is `x`, in radians.
package struct ArcSine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .asin }
  package func callAsFunction(_ x: Float) -> Float { asin(x) }
  package func derivative(at x: Float) -> Float { 1 / (1 - x * x).squareRoot() }
  package var bounds: Interval? { Interval(-Float.pi / 2, Float.pi / 2) }
  package func isDefined(on x: Interval) -> Bool { x.lower >= -1 && x.upper <= 1 }
}
