/// `min(max(x, lowest), highest)`.
package struct Clip: ElementwiseFunction {
  package let lowest: Float
  package let highest: Float
  package init(lowest: Float, highest: Float) { (self.lowest, self.highest) = (lowest, highest) }
  package var kind: OperatorKind { .clip }
  package func callAsFunction(_ x: Float) -> Float { Swift.min(Swift.max(x, lowest), highest) }
  package func derivative(at x: Float) -> Float { x > lowest && x < highest ? 1 : 0 }
  package var isRectifier: Bool { lowest == 0 && highest > 0 }
  package var isNonNegative: Bool { lowest >= 0 }
  package var keepsNonNegative: Bool { highest >= 0 }
  package var bounds: Interval? { lowest <= highest ? Interval(of: [lowest, highest]) : nil }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int {
    if type.isLess(x, type.held(lowest)) { return type.held(lowest) }
    return type.isLess(type.held(highest), x) ? type.held(highest) : x
  }
}
