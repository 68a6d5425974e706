import Foundation

/// The inverse of the hyperbolic cosine, of numbers from 1 on.
package struct AreaCosine: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .acosh }
  package func callAsFunction(_ x: Float) -> Float { acosh(x) }
  package func derivative(at x: Float) -> Float { 1 / ((x - 1) * (x + 1)).squareRoot() }
  package var isNonNegative: Bool { true }
  package func isDefined(on x: Interval) -> Bool { x.lower >= 1 }
}
