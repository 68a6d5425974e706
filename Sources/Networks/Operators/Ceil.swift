/// The smallest integer `≥ x`.
package struct Ceil: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .ceil }
  package func callAsFunction(_ x: Float) -> Float { x.rounded(.up) }
  package func derivative(at x: Float) -> Float { 0 }
  package var keepsIntegers: Bool { true }
}
