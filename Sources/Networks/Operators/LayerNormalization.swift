import RelevanceTensors

/// Normalization of each position over its trailing axes, `y = scale · (x − mean)/√(variance + ε) + shift`. Without a
/// mean, it divides by the root mean square (RMSNormalization).
package struct LayerNormalization: Operator {
  /// The first normalized axis; a negative axis counts from the end.
  package let axis: Int
  /// The scale, with the shape of the normalized axes.
  package let scale: Tensor
  /// The shift, with the shape of the normalized axes.
  package let shift: Tensor?
  package let epsilon: Float
  /// Whether the mean is subtracted.
  package let isCentered: Bool

  package init(axis: Int, scale: Tensor, shift: Tensor?, epsilon: Float, isCentered: Bool = true) {
    (self.axis, self.scale, self.shift, self.epsilon) = (axis, scale, shift, epsilon)
    self.isCentered = isCentered
  }

  package var kind: OperatorKind { .layerNormalization }
  package var parameters: [Tensor] { [scale] + [shift].compactMap { $0 } }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    let axis = try counted(axis, rank: x.rank)
    guard scale.count == x.dimensions[axis...].reduce(1, *) else {
      throw Misfit("expected \(scale.count) elements from axis \(axis) on, found shape \(x)")
    }
    return x
  }
  package func origin(of operands: [Inferred]) throws -> Origin {
    let rank = try firstShape(operands).rank
    return .mixed(Set(try counted(axis, rank: rank)..<rank))
  }
}
