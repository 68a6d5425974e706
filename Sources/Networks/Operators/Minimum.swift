/// The smaller of two numbers; the first one if they are equal.
package struct Minimum: PairwiseFunction {
  package init() {}
  package var kind: OperatorKind { .min }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { Swift.min(a, b) }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { a <= b ? (1, 0) : (0, 1) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { type.isLess(b, a) ? b : a }
  package var wraps: Bool { false }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? {
    Interval(of: [self(a.lower, b.lower), self(a.upper, b.upper)])
  }
}
