import RelevanceTensors

/// Normalization of each item over groups of channels and all positions, for batch × channels × space:
/// `y = scale · (x − mean)/√(variance + ε) + shift`.
package struct GroupNormalization: Operator {
  /// The number of groups of neighboring channels. Nil is one group per channel: instance normalization.
  package let groups: Int?
  /// One number per channel, or per run of equally many neighboring channels.
  package let scale: Tensor
  /// The same number of elements as `scale`.
  package let shift: Tensor
  package let epsilon: Float

  package init(groups: Int?, scale: Tensor, shift: Tensor, epsilon: Float) {
    (self.groups, self.scale, self.shift, self.epsilon) = (groups, scale, shift, epsilon)
  }

  package var kind: OperatorKind { groups == nil ? .instanceNormalization : .groupNormalization }
  package var parameters: [Tensor] { [scale, shift] }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard x.rank >= 3 else { throw Misfit("expected batch × channels × space, found shape \(x)") }
    guard groups ?? 1 > 0, x[1] % (groups ?? 1) == 0 else {
      throw Misfit("\(groups ?? 1) groups do not divide the \(x[1]) channels of shape \(x)")
    }
    guard scale.count > 0, x[1] % scale.count == 0, shift.count == scale.count else {
      throw Misfit("found \(scale.count) scales and \(shift.count) shifts; expected \(x[1]), one per channel")
    }
    return x
  }
  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .mixed(Set(1..<max(try firstShape(operands).rank, 1)))
  }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let x = try firstShape(operands)
    let space = x.dimensions[2...].map { [Bool](repeating: true, count: $0) }
    return [
      elements.mapped(to: x) { block in
        [block.axes[0], RelevanceNetworks.channels(before: block.axes[1], groups: groups ?? x[1], count: x[1])] + space
      }
    ]
  }
}
