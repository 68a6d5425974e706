import RelevanceTensors

/// `−x`; integers wrap.
package struct Negate: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .neg }
  package func callAsFunction(_ x: Float) -> Float { -x }
  package func derivative(at x: Float) -> Float { -1 }
  package var keepsNonNegative: Bool { false }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int { type.wrapped(0 &- x) }
  package func isStepwise(of operands: [ElementKind]) -> Bool { elementKind(of: operands).integerType != nil }
  package var isLinear: Bool { true }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: false, shifts: false)
  }
  package func turned(by signs: Signs, output: TensorShape) -> (any Operator)? { signs == .all ? Identity() : nil }
}
