/// `x · min(max(x/6 + ½, 0), 1)`.
package struct HardSwish: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .hardSwish }
  package func callAsFunction(_ x: Float) -> Float { x * Swift.min(Swift.max(x / 6 + 0.5, 0), 1) }
  package func derivative(at x: Float) -> Float { x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5 }
  package var turningPoints: [Float] { [-1.5] }
}
