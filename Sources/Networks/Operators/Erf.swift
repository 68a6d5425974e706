import Foundation

/// The error function, `2/√π ∫₀ˣ e^(−t²) dt`.
package struct Erf: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .erf }
  package func callAsFunction(_ x: Float) -> Float { erf(x) }
  package func derivative(at x: Float) -> Float { 2 / Float.pi.squareRoot() * exp(-x * x) }
  package var bounds: Interval? { Interval(-1, 1) }
}
