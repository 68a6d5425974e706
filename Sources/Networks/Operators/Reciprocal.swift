/// `1 / x`.
package struct Reciprocal: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .reciprocal }
  package func callAsFunction(_ x: Float) -> Float { 1 / x }
  package func derivative(at x: Float) -> Float { -1 / (x * x) }
  // The function falls on both sides of its pole.
  package func isDefined(on x: Interval) -> Bool { !x.contains(0) }
}
