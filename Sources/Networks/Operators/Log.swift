import Foundation

/// `ln x`; −∞ at 0, NaN below.
package struct Log: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .log }
  package func callAsFunction(_ x: Float) -> Float { log(x) }
  package func derivative(at x: Float) -> Float { 1 / x }
  package var keepsNonNegative: Bool { false }
}
