/// Whether `x` is NaN.
package struct IsNaN: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .isNaN }
  package func callAsFunction(_ x: Float) -> Float { x.isNaN ? 1 : 0 }
  package func derivative(at x: Float) -> Float { 0 }
  package var isNonNegative: Bool { true }
  package var bounds: Interval? { Interval(0, 1) }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .truth }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package func isDefined(on x: Interval) -> Bool { false }
}
