import Foundation

/// `eˣ`.
package struct Exp: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .exp }
  package func callAsFunction(_ x: Float) -> Float { exp(x) }
  package func derivative(at x: Float) -> Float { exp(x) }
  package var isNonNegative: Bool { true }
}
