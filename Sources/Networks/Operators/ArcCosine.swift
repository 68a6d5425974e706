import Foundation

/// The angle whose cosine is `x`, in radians.
package struct ArcCosine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .acos }
  package func callAsFunction(_ x: Float) -> Float { acos(x) }
  package func derivative(at x: Float) -> Float { -1 / (1 - x * x).squareRoot() }
  package var isNonNegative: Bool { true }
  package var bounds: Interval? { Interval(0, Float.pi) }
  package func isDefined(on x: Interval) -> Bool { x.lower >= -1 && x.upper <= 1 }
}
