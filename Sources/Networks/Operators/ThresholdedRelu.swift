/// `x` where it is larger than α, otherwise 0.
package struct ThresholdedRelu: ElementwiseFunction {
  package let alpha: Float
  package init(alpha: Float) { self.alpha = alpha }
  package var kind: OperatorKind { .thresholdedRelu }
  package func callAsFunction(_ x: Float) -> Float { x > alpha ? x : 0 }
  package func derivative(at x: Float) -> Float { x > alpha ? 1 : 0 }
  package var isRectifier: Bool { alpha == 0 }
  package var isNonNegative: Bool { alpha >= 0 }
  package var turningPoints: [Float] { [alpha, alpha.nextUp, 0] }
}
