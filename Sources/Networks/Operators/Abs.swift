/// `|x|`; integers wrap.
package struct Abs: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .abs }
  package func callAsFunction(_ x: Float) -> Float { Swift.abs(x) }
  package func derivative(at x: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : 0 }
  package var isNonNegative: Bool { true }
  package var turningPoints: [Float] { [0] }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int {
    type.isSigned ? type.wrapped(x < 0 ? 0 &- x : x) : x
  }
  package func isStepwise(of operands: [ElementKind]) -> Bool { elementKind(of: operands).integerType != nil }
}
