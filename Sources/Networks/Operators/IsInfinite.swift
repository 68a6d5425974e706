/// Whether `x` is infinite, with one sign or either sign.
package struct IsInfinite: ElementwiseFunction {
  package let detectsNegative: Bool
  package let detectsPositive: Bool
  package init(detectsNegative: Bool, detectsPositive: Bool) {
    (self.detectsNegative, self.detectsPositive) = (detectsNegative, detectsPositive)
  }

  package var kind: OperatorKind { .isInf }
  package func callAsFunction(_ x: Float) -> Float {
    x == .infinity && detectsPositive || x == -.infinity && detectsNegative ? 1 : 0
  }
  package func derivative(at x: Float) -> Float { 0 }
  package var isNonNegative: Bool { true }
  package var bounds: Interval? { Interval(0, 1) }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .truth }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package func isDefined(on x: Interval) -> Bool { false }
}
