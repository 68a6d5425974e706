/// `max(0, x)`.
package struct Relu: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .relu }
  package func callAsFunction(_ x: Float) -> Float { Swift.max(x, 0) }
  package func derivative(at x: Float) -> Float { x > 0 ? 1 : 0 }
  package var isRectifier: Bool { true }
  package var isNonNegative: Bool { true }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int { type.isLess(x, 0) ? 0 : x }
}
