import Foundation

/// The remainder of `a` divided by `b`, with the sign of `b` or, as in C's `fmod`, with the sign of `a`.
package struct Modulo: PairwiseFunction {
  package let takesSignOfDividend: Bool
  package init(takesSignOfDividend: Bool) { self.takesSignOfDividend = takesSignOfDividend }

  package var kind: OperatorKind { .mod }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float {
    let rest = fmod(a, b)
    return takesSignOfDividend || rest == 0 || (rest < 0) == (b < 0) ? rest : rest + b
  }
  /// Between steps the quotient is constant.
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (1, -((a - self(a, b)) / b).rounded()) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? {
    guard b != 0 else { return nil }
    if !type.isSigned { return Int(bitPattern: UInt(bitPattern: a) % UInt(bitPattern: b)) }
    guard b != -1 else { return 0 }
    let rest = a % b
    return takesSignOfDividend || rest == 0 || (rest < 0) == (b < 0) ? rest : rest + b
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.allSatisfy { $0 } }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? { nil }
}
