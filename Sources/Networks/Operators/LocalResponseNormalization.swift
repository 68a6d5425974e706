import RelevanceTensors

/// Local response normalization over `size` neighboring channels, `y = x / (bias + alpha/size · Σ x²)^beta`, for
/// batch × channels × ….
package struct LocalResponseNormalization: Operator {
  package let size: Int
  package let alpha: Float
  package let beta: Float
  package let bias: Float

  package init(size: Int, alpha: Float, beta: Float, bias: Float) {
    (self.size, self.alpha, self.beta, self.bias) = (size, alpha, beta, bias)
  }

  /// The factor of each square, α/size.
  package var share: Float { alpha / Float(size) }

  /// The channels whose squares are summed for a channel.
  package func neighbors(of channel: Int, channels: Int) -> ClosedRange<Int> {
    let before = (size - 1) / 2
    return max(channel - before, 0)...min(channel + size - 1 - before, channels - 1)
  }

  package var kind: OperatorKind { .lrn }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard x.rank >= 2 else { throw Misfit("expected batch × channels × …, found shape \(x)") }
    return x
  }
  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed([1]) }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    [
      elements.mapped(to: elements.shape) { block in
        var axes = block.axes
        for (channel, isIn) in block.axes[1].enumerated() where isIn {
          for neighbor in neighbors(of: channel, channels: axes[1].count) { axes[1][neighbor] = true }
        }
        return axes
      }
    ]
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  // Squares have no sign.
  package func signsBefore(_ signs: Signs, output: TensorShape, of operands: [Inferred]) -> Signs? { signs }
}
