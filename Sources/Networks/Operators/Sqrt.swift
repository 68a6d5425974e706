/// `√x`; NaN below 0.
package struct Sqrt: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .sqrt }
  package func callAsFunction(_ x: Float) -> Float { x.squareRoot() }
  package func derivative(at x: Float) -> Float { 0.5 / x.squareRoot() }
  package var isNonNegative: Bool { true }
}
