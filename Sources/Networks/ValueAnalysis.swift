import Tensors

extension Network {
  /// For each node whether its values can be told to be ≥ 0 from the graph alone.
  ///
  /// Rules that are defined for rectified inputs need no case for negative ones where this holds.
  public func nonNegativeNodes() -> [Bool] {
    var result: [Bool] = []
    for node in graph.nodes {
      let operands = node.inputs.map { result[$0.index] }
      switch node.operation {
      case .relu, .softmax: result.append(true)
      case .constant(let value): result.append(value.withUnsafeElements { $0.allSatisfy { $0 >= 0 } })
      case .maxPool, .averagePool, .mean, .localResponseNormalization, .concat, .add, .multiply, .flatten, .reshape,
        .transpose, .squeeze, .unsqueeze, .dropout, .identity:
        result.append(operands.allSatisfy { $0 })
      case .input, .convolution, .linear, .batchNormalization, .logSoftmax: result.append(false)
      }
    }
    return result
  }

  /// The weighted nodes that no other weighted node comes before on the way from the input, and those that none comes
  /// after on the way to `target`: the first and last layers by data flow.
  public func outermostWeightedNodes(before target: Node.ID) -> (first: Set<Node.ID>, last: Set<Node.ID>) {
    let reachable = nodes(reaching: target)
    var hasWeightedAncestor = [Bool](repeating: false, count: graph.nodes.count)
    var hasWeightedDescendant = hasWeightedAncestor
    for id in reachable {
      hasWeightedAncestor[id.index] = graph[id].inputs.contains {
        hasWeightedAncestor[$0.index] || graph[$0].operation.isWeighted
      }
    }
    for id in reachable.reversed() {
      let passesOn = hasWeightedDescendant[id.index] || graph[id].operation.isWeighted
      for operand in graph[id].inputs where passesOn { hasWeightedDescendant[operand.index] = true }
    }
    let weighted = reachable.filter { graph[$0].operation.isWeighted }
    return (
      Set(weighted.filter { !hasWeightedAncestor[$0.index] }), Set(weighted.filter { !hasWeightedDescendant[$0.index] })
    )
  }
}

/// The interval that each element of a tensor can take, as bounds that broadcast to its shape.
public struct ValueRange: Sendable {
  /// The smallest values.
  public let lower: Tensor
  /// The largest values.
  public let upper: Tensor
}

extension Network {
  /// The interval of a node's values when pixels lie in `pixels`, as far as it follows from operators that keep intervals
  /// exact (scaling, shifting, reordering, rectifying, pooling); nil if it does not.
  ///
  /// Rule z^B needs it for the input of the first convolution, which need not be the network's own.
  public func range(of id: Node.ID, pixels: PixelRange) -> ValueRange? {
    let node = graph[id]
    func operand() -> ValueRange? { range(of: node.inputs[0], pixels: pixels) }
    switch node.operation {
    case .input(let shape):
      guard shape.extents.count >= 2 else { return nil }
      var extents = [Int](repeating: 1, count: shape.extents.count)
      let channels = pixels.lower.count
      if admits(shape.extents[1], channels) {
        extents[1] = channels
      } else if admits(shape.extents[shape.extents.count - 1], channels) {
        extents[extents.count - 1] = channels
      } else {
        return nil
      }
      return ValueRange(
        lower: Tensor(shape: Shape(extents), elements: pixels.lower),
        upper: Tensor(shape: Shape(extents), elements: pixels.upper))
    case .add, .multiply:
      for (live, other) in [(0, 1), (1, 0)] {
        guard case .constant(let value) = graph[node.inputs[other]].operation,
          let x = range(of: node.inputs[live], pixels: pixels),
          let shape = x.lower.shape.broadcast(with: value.shape)
        else { continue }
        if case .add = node.operation {
          return ValueRange(
            lower: broadcast(x.lower, value, shape, +), upper: broadcast(x.upper, value, shape, +))
        }
        let (a, b) = (broadcast(x.lower, value, shape, *), broadcast(x.upper, value, shape, *))
        return ValueRange(lower: a.combined(with: b, min), upper: a.combined(with: b, max))
      }
      return nil
    case .batchNormalization(let parameters):
      guard let x = operand(), x.lower.shape.rank >= 2 else { return nil }
      var extents = [Int](repeating: 1, count: x.lower.shape.rank)
      extents[1] = parameters.scale.count
      let (scale, shift) = (
        parameters.scale.reshaped(to: Shape(extents)), parameters.shift.reshaped(to: Shape(extents))
      )
      guard let shape = x.lower.shape.broadcast(with: scale.shape) else { return nil }
      let ends = [x.lower, x.upper].map { broadcast(broadcast($0, scale, shape, *), shift, shape, +) }
      return ValueRange(lower: ends[0].combined(with: ends[1], min), upper: ends[0].combined(with: ends[1], max))
    case .transpose(let order):
      guard let x = operand() else { return nil }
      let order = order ?? (0..<x.lower.shape.rank).reversed()
      guard order.count == x.lower.shape.rank else { return nil }
      return ValueRange(lower: x.lower.transposed(order), upper: x.upper.transposed(order))
    case .relu: return operand().map { ValueRange(lower: $0.lower.positivePart, upper: $0.upper.positivePart) }
    case .maxPool, .averagePool, .dropout, .identity:
      // Bounds that differ from place to place do not survive a window.
      guard let x = operand(), x.lower.shape.dimensions.dropFirst(2).allSatisfy({ $0 == 1 }) else { return nil }
      if case .averagePool(let pool) = node.operation, pool.countsPadding {
        return ValueRange(lower: x.lower.map { min($0, 0) }, upper: x.upper.map { max($0, 0) })
      }
      return x
    default: return nil
    }
  }

  private func admits(_ extent: SymbolicExtent, _ channels: Int) -> Bool { extent == .fixed(channels) }
}

private func broadcast(_ a: Tensor, _ b: Tensor, _ shape: Shape, _ operation: (Float, Float) -> Float) -> Tensor {
  func expanded(_ x: Tensor) -> Tensor {
    let padded = [Int](repeating: 1, count: shape.rank - x.shape.rank) + x.shape.dimensions
    let strides = zip(padded, Shape(padded).strides).map { $0 == 1 ? 0 : $1 }
    return Tensor(uninitialized: shape) { result in
      x.withUnsafeElements { source in
        for position in result.indices {
          var (rest, from) = (position, 0)
          for axis in (0..<shape.rank).reversed() {
            from += rest % shape[axis] * strides[axis]
            rest /= shape[axis]
          }
          result[position] = source[from]
        }
      }
    }
  }
  return expanded(a).combined(with: expanded(b), operation)
}
