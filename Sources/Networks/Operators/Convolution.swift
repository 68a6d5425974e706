import RelevanceTensors

/// Convolution with constant weights, `y[m] = b[m] + Σ_c W[m,c] ⋆ x[c]`, from batch × channels × space to batch ×
/// outputs × space, with one or two spatial axes.
package struct Convolution: WeightedOperator {
  /// outputs × inputs/groups × kernel height × kernel width.
  package let weight: Tensor
  package let bias: Tensor?
  package let window: Window
  /// The number of channel groups, which are independent of each other.
  package let groups: Int

  package init(weight: Tensor, bias: Tensor?, window: Window, groups: Int) {
    (self.weight, self.bias, self.window, self.groups) = (weight, bias, window, groups)
  }

  package var kind: OperatorKind { .conv }
  package var outputChannels: Int { weight.shape[0] }
  package var inputChannels: Int { weight.shape[1] * groups }
  package var spatialAxes: Int { window.kernel.count }
  package func with(weight: Tensor, bias: Tensor?) -> Convolution {
    Convolution(weight: weight, bias: bias, window: window, groups: groups)
  }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard x.rank == window.kernel.count + 2 else {
      throw Misfit("expected \(window.kernel.count + 2) axes (batch × channels × space), found shape \(x)")
    }
    guard weight.shape.rank == x.rank, Array(weight.shape.dimensions.dropFirst(2)) == window.kernel else {
      throw Misfit("the weight's shape \(weight.shape) does not match kernel_shape \(window.kernel)")
    }
    let channels = weight.shape[1].multipliedReportingOverflow(by: groups)
    guard groups > 0, !channels.overflow, channels.partialValue == x[1], weight.shape[0] % groups == 0 else {
      throw Misfit(
        "weight \(weight.shape) with group \(groups) expects \(channels.partialValue) channels, found shape \(x)")
    }
    try checkBias()
    return try TensorShape(
      checking: [x[0], weight.shape[0]] + window.placement(over: Array(x.dimensions[2...])).outputs)
  }

  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .mixed(Set(1..<max(try firstShape(operands).rank, 1)))
  }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    [
      try window.sources(of: elements, in: firstShape(operands)) {
        RelevanceNetworks.channels(before: $0, groups: groups, count: inputChannels)
      }
    ]
  }
}
