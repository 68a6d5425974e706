import Foundation

/// The angle whose tangent is `x`, in radians.
package struct ArcTangent: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .atan }
  package func callAsFunction(_ x: Float) -> Float { atan(x) }
  package func derivative(at x: Float) -> Float { 1 / (1 + x * x) }
  package var bounds: Interval? { Interval(-Float.pi / 2, Float.pi / 2) }
}
