import Foundation

/// `1 / (1 + e⁻ˣ)`.
package struct Sigmoid: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .sigmoid }
  package func callAsFunction(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
  package func derivative(at x: Float) -> Float { self(x) * (1 - self(x)) }
  package var isNonNegative: Bool { true }
  package var bounds: Interval? { Interval(0, 1) }
}
