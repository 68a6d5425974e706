/// −1, 0 or 1 if `x` is negative, 0 or positive.
package struct Sign: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .sign }
  package func callAsFunction(_ x: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : x }
  package func derivative(at x: Float) -> Float { 0 }
  package var bounds: Interval? { Interval(-1, 1) }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int { type.isSigned ? x.signum() : x == 0 ? 0 : 1 }
}
