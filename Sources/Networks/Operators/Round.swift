/// The nearest integer; ties round to even.
package struct Round: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .round }
  package func callAsFunction(_ x: Float) -> Float { x.rounded(.toNearestOrEven) }
  package func derivative(at x: Float) -> Float { 0 }
  package var keepsIntegers: Bool { true }
}
