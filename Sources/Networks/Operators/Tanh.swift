import Foundation

/// `(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)`.
package struct Tanh: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .tanh }
  package func callAsFunction(_ x: Float) -> Float { tanh(x) }
  package func derivative(at x: Float) -> Float { 1 - self(x) * self(x) }
  package var bounds: Interval? { Interval(-1, 1) }
}
