import RelevanceTensors

/// The adjoint of a convolution, with constant weights: distributes each input over a window of outputs, from batch ×
/// inputs × space to batch × outputs × larger space.
package struct TransposedConvolution: WeightedOperator {
  /// inputs × outputs/groups × kernel height × kernel width: the weights of the corresponding convolution.
  package let weight: Tensor
  package let bias: Tensor?
  /// The window of the corresponding convolution.
  package let window: Window
  /// The number of elements added at the end of each spatial axis of the output.
  package let outputPadding: [Int]
  /// The spatial extents of the output, if they are given instead of padding. The window's padding is then `sameUpper`
  /// or `sameLower`, which determines the end with one more element.
  package let outputExtents: [Int]?
  /// The number of channel groups, which are independent of each other.
  package let groups: Int

  package init(
    weight: Tensor, bias: Tensor?, window: Window, outputPadding: [Int], outputExtents: [Int]? = nil, groups: Int
  ) {
    (self.weight, self.bias, self.window, self.groups) = (weight, bias, window, groups)
    (self.outputPadding, self.outputExtents) = (outputPadding, outputExtents)
  }

  package var kind: OperatorKind { .convTranspose }
  package var outputChannels: Int { weight.shape[1] * groups }
  package var inputChannels: Int { weight.shape[0] }
  package var spatialAxes: Int { window.kernel.count }
  /// Inputs are in groups, and outputs in the same number of groups.
  package func outputChannel(row: Int, column: Int) -> Int {
    row / (weight.shape[0] / groups) * weight.shape[1] + column
  }
  package func with(weight: Tensor, bias: Tensor?) -> TransposedConvolution {
    TransposedConvolution(
      weight: weight, bias: bias, window: window, outputPadding: outputPadding, outputExtents: outputExtents,
      groups: groups)
  }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard x.rank == window.kernel.count + 2, weight.shape.rank == x.rank,
      Array(weight.shape.dimensions[2...]) == window.kernel
    else {
      throw Misfit("the weight's shape \(weight.shape) does not match kernel_shape \(window.kernel) and input \(x)")
    }
    guard weight.shape[0] == x[1], groups > 0, x[1] % groups == 0 else {
      throw Misfit("weight \(weight.shape) with group \(groups) expects \(weight.shape[0]) channels, found shape \(x)")
    }
    try checkBias()
    let space = try window.kernel.indices.map { axis in
      if let outputExtents { return outputExtents[axis] }
      let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1
      let whole = (x[axis + 2] - 1) * window.strides[axis] + reach + outputPadding[axis]
      switch window.padding {
      case .explicit(let before, let after):
        let extent = whole - before[axis] - after[axis]
        guard extent > 0 else { throw Misfit("pads leave nothing of spatial axis \(axis)") }
        return extent
      case .sameUpper, .sameLower: return x[axis + 2] * window.strides[axis]
      }
    }
    return try TensorShape(checking: [x[0], outputChannels] + space)
  }

  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .mixed(Set(1..<max(try firstShape(operands).rank, 1)))
  }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let x = try firstShape(operands)
    let before = padding(of: x, to: elements.shape).before
    var meetsPadding = false
    var result = elements.mapped(to: x) { block in
      let space = window.kernel.indices.map { axis in
        var flags = [Bool](repeating: false, count: x[axis + 2])
        for (output, isIn) in block.axes[axis + 2].enumerated() where isIn {
          for tap in 0..<window.kernel[axis] {
            let distance = output + before[axis] - tap * window.dilations[axis]
            guard distance % window.strides[axis] == 0 else { continue }
            let index = distance / window.strides[axis]
            if flags.indices.contains(index) { flags[index] = true } else { meetsPadding = true }
          }
        }
        return flags
      }
      return [block.axes[0], RelevanceNetworks.channels(before: block.axes[1], groups: groups, count: inputChannels)]
        + space
    }
    result.meetsPadding = meetsPadding
    return [result]
  }

  /// The number of elements that are cut off the output (or added, if negative) before and after each spatial axis,
  /// without `outputPadding`.
  package func padding(of x: TensorShape, to output: TensorShape) -> (before: [Int], after: [Int]) {
    switch window.padding {
    case .explicit(let before, let after): return (before, after)
    case .sameUpper, .sameLower:
      let totals = window.kernel.indices.map { axis in
        let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1
        return (x[axis + 2] - 1) * window.strides[axis] + reach + outputPadding[axis] - output[axis + 2]
      }
      // If the output is larger than the windows reach, the remaining elements are at its end.
      let before = totals.map { $0 < 0 ? 0 : window.padding == .sameUpper ? $0 / 2 : $0 - $0 / 2 }
      return (before, zip(totals, before).map { $0 - $1 })
    }
  }
}
