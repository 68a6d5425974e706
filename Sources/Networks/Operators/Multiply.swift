import RelevanceTensors

/// `a · b`.
package struct Multiply: PairwiseFunction {
  package init() {}
  package var kind: OperatorKind { .mul }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { a * b }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (b, a) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { type.wrapped(a &* b) }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? { a.corners(with: b) { $0 * $1 } }
  package func range(at site: RangeSite) -> ValueRange? {
    // A square is not negative, whereas the product of equal intervals could be.
    if site.operandsAreSame { return site.range(0)?.mapped(\.squared) }
    guard let a = site.range(0), let b = site.range(1) else { return nil }
    return a.combined(with: b) { interval($0, $1) }
  }
  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: constant?.allElements { $0 >= 0 } ?? false, shifts: false)
  }
}
