import Foundation

/// `log(1 + eˣ)`.
package struct Softplus: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .softplus }
  package func callAsFunction(_ x: Float) -> Float { Swift.max(x, 0) + log1p(exp(-Swift.abs(x))) }
  package func derivative(at x: Float) -> Float { 1 / (1 + exp(-x)) }
  package var isNonNegative: Bool { true }
}
