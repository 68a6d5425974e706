import Foundation

/// `a` to the power of `b`.
package struct Power: PairwiseFunction {
  package init() {}
  package var kind: OperatorKind { .pow }
  // Exporters mostly write powers for squares and roots.
  package func callAsFunction(_ a: Float, _ b: Float) -> Float {
    b == 2 ? a * a : b == 0.5 ? a.squareRoot() : pow(a, b)
  }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) {
    (b == 0 ? 0 : b * self(a, b - 1), a > 0 ? self(a, b) * log(a) : 0)
  }
  // The type of the base decides. Exponents of any type are allowed.
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    operands.first == .truth ? .integer(.int64) : operands.first ?? .real
  }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { type.power(a, type.double(b)) }
  package func integer(_ a: Int, _ b: Double, _ type: IntegerType) -> Int? { type.power(a, b) }
  package func integer(_ a: Float, _ b: Float, _ type: IntegerType) -> Float {
    type.float(type.power(type.held(a), Double(b)))
  }

  package func interval(_ a: Interval, _ b: Interval) -> Interval? {
    // b · ln a is monotone in both operands.
    if a.lower > 0 || a.lower == 0 && b.lower >= 0 { return a.corners(with: b) { self($0, $1) } }
    // The remaining cases are integer powers of negative numbers. Even powers turn at 0.
    guard b.lower == b.upper, b.lower == b.lower.rounded(), b.lower >= 0 || !a.contains(0) else { return nil }
    return Interval(of: [self(a.lower, b.lower), self(a.upper, b.lower)] + (a.contains(0) ? [self(0, b.lower)] : []))
  }
}
