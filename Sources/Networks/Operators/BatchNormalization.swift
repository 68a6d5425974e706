import RelevanceTensors

/// Batch normalization in inference: `y = scale · x + shift` per channel, batch × channels × ….
package struct BatchNormalization: Operator {
  /// `γ / √(σ² + ε)`, one number per channel.
  package let scale: Tensor
  /// `β − μ · scale`, one number per channel.
  package let shift: Tensor

  /// Creates the operator from its scale and shift, with one number per channel each.
  package init(scale: Tensor, shift: Tensor) { (self.scale, self.shift) = (scale, shift) }

  /// Creates the operator from the learned parameters and the running statistics, with one number per channel each.
  package init(gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Float) {
    let scale = gamma.combined(with: variance) { $0 / ($1 + epsilon).squareRoot() }
    self.init(scale: scale, shift: beta.combined(with: mean.combined(with: scale, *), -))
  }

  package var kind: OperatorKind { .batchNormalization }
  package var parameters: [Tensor] { [scale, shift] }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard x.rank >= 2, x[1] == scale.count else { throw Misfit("expected \(scale.count) channels, found shape \(x)") }
    return x
  }
  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }

  package func range(at site: RangeSite) -> ValueRange? {
    let (scale, shift) = perChannel(rank: site.output.shape.rank)
    guard let scale = ValueRange(lower: scale, upper: scale), let shift = ValueRange(lower: shift, upper: shift)
    else { return nil }
    return site.range(0)?.combined(with: scale, Multiply().interval)?.combined(with: shift, Add().interval)
  }

  package func affineEffect(on operand: Int, constant: Tensor?) -> AffineEffect? {
    AffineEffect(isPositive: scale.allElements { $0 >= 0 }, shifts: !shift.allElements { $0 == 0 })
  }

  package func turned(by signs: Signs, output: TensorShape) -> (any Operator)? {
    guard let flags = signs.flags(along: 1, count: scale.count) else { return nil }
    return BatchNormalization(scale: scale.turned(flags), shift: shift.turned(flags))
  }

  /// Scale and shift in a shape that broadcasts to tensors of `rank` axes.
  func perChannel(rank: Int) -> (scale: Tensor, shift: Tensor) {
    let shape = TensorShape([scale.count] + [Int](repeating: 1, count: rank - 2))
    return (scale.reshaped(to: shape), shift.reshaped(to: shape))
  }
}
