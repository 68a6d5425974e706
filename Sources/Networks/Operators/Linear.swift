import RelevanceTensors

/// A fully connected layer, `y = W·x + b` with constant weights: … × inputs to … × outputs.
package struct Linear: WeightedOperator {
  /// outputs × inputs.
  package let weight: Tensor
  package let bias: Tensor?

  package init(weight: Tensor, bias: Tensor?) { (self.weight, self.bias) = (weight, bias) }

  package var kind: OperatorKind { .gemm }
  package var outputChannels: Int { weight.shape[0] }
  package var inputChannels: Int { weight.shape[1] }
  package var spatialAxes: Int { 0 }
  package func with(weight: Tensor, bias: Tensor?) -> Linear { Linear(weight: weight, bias: bias) }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard weight.shape.rank == 2, x.rank >= 1, x[-1] == weight.shape[1] else {
      throw Misfit("expected \(weight.shape.dimensions.last ?? 0) inputs along the last axis, found shape \(x)")
    }
    try checkBias()
    return TensorShape(x.dimensions.dropLast() + [weight.shape[0]])
  }

  package var channels: ChannelPosition? { .last }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed([try firstShape(operands).rank - 1]) }
}
