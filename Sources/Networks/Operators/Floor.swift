/// The largest integer `≤ x`.
package struct Floor: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .floor }
  package func callAsFunction(_ x: Float) -> Float { x.rounded(.down) }
  package func derivative(at x: Float) -> Float { 0 }
  package var keepsIntegers: Bool { true }
}
