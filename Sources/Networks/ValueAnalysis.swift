import Tensors

extension Network {
  /// For each node whether its values can be told to be ≥ 0 from the graph alone.
  ///
  /// Rules that are defined for rectified inputs need no case for negative ones where this holds.
  ///
  /// - Complexity: O(nodes and edges, and elements of constants).
  public func nonNegativeNodes() -> [Bool] {
    var result: [Bool] = []
    let kinds = graph.elementKinds
    for (index, node) in graph.nodes.enumerated() {
      let operands = node.inputs.map { result[$0.index] }
      let first = operands.first ?? false
      // What wraps can get any sign that its type has.
      if node.operation.isStepwise(of: node.inputs.map { kinds[$0.index] }) {
        result.append(kinds[index].integerType?.isSigned == false || kinds[index] == .truth)
        continue
      }
      switch node.operation {
      case .relu, .softmax, .shape: result.append(true)
      case .constant(let value): result.append(value.withUnsafeElements { $0.allSatisfy { $0 >= 0 } })
      case .integers(let value): result.append(value.elements.allSatisfy { $0 >= 0 })
      case .concat, .add, .multiply, .binary(.divide), .binary(.power), .binary(.minimum):
        result.append(operands.allSatisfy { $0 })
      case .binary(.maximum): result.append(operands.contains(true))
      case .unary(let function): result.append(function.isNonNegative || function.keepsNonNegative && first)
      case .pad(let pad): result.append(first && pad.value >= 0)
      // Further operands of these hold extents and positions.
      case .maxPool, .averagePool, .mean, .localResponseNormalization, .flatten, .reshape, .transpose, .squeeze,
        .unsqueeze, .dropout, .identity, .parametricRelu, .slice, .part, .gather, .expand, .reduce, .resize, .cast:
        result.append(first)
      case .input, .convolution, .linear, .batchNormalization, .logSoftmax, .binary(.subtract), .transposedConvolution,
        .layerNormalization, .arithmetic:
        result.append(false)
      }
    }
    return result
  }

  /// The weighted nodes that no other weighted node comes before on the way from the input, and those that none comes
  /// after on the way to `target`: the first and last layers by data flow.
  ///
  /// - Complexity: O(nodes and edges).
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
  /// exact (scaling, shifting, picking, joining, rectifying, pooling); nil if it does not.
  ///
  /// Rule z^B needs it for the input of the first convolution, which need not be the network's own.
  public func range(of id: Node.ID, pixels: PixelRange) -> ValueRange? {
    guard let inferred = try? graph.inferred(forInput: exampleInputShape()) else { return nil }
    return range(of: id, pixels, inferred)
  }

  private func range(of id: Node.ID, _ pixels: PixelRange, _ inferred: [Inferred]) -> ValueRange? {
    let node = graph[id]
    // Integers that are rounded or wrap do not keep intervals.
    if node.operation.isStepwise(of: node.inputs.map { inferred[$0.index].kind }) { return nil }
    func operand() -> ValueRange? { range(of: node.inputs[0], pixels, inferred) }
    switch node.operation {
    case .input(let shape, _):
      guard shape.extents.count >= 2 else { return nil }
      var extents = [Int](repeating: 1, count: shape.extents.count)
      let channels = pixels.lower.count
      // Channels come second, or last.
      guard let axis = [1, extents.count - 1].first(where: { shape.extents[$0] == .fixed(channels) }) else {
        return nil
      }
      extents[axis] = channels
      return ValueRange(
        lower: Tensor(shape: Shape(extents), elements: pixels.lower),
        upper: Tensor(shape: Shape(extents), elements: pixels.upper))
    case .add, .multiply, .binary(.subtract), .binary(.divide):
      for (live, other) in [(0, 1), (1, 0)] {
        guard let constant = inferred[node.inputs[other].index].literal?.floats,
          let x = range(of: node.inputs[live], pixels, inferred)
        else { continue }
        return x.mapped {
          let bound = Inferred(.floats($0)), constant = Inferred(.floats(constant))
          return try node.operation.inferred(from: live == 0 ? [bound, constant] : [constant, bound]).literal?.floats
        }
      }
      return nil
    case .batchNormalization(let parameters):
      guard let x = operand(), x.lower.shape.rank >= 2 else { return nil }
      var extents = [Int](repeating: 1, count: x.lower.shape.rank)
      extents[1] = parameters.scale.count
      let scale = Inferred(.floats(parameters.scale.reshaped(to: Shape(extents))))
      let shift = Inferred(.floats(parameters.shift.reshaped(to: Shape(extents))))
      return x.mapped {
        try Operator.add.inferred(from: [try Operator.multiply.inferred(from: [Inferred(.floats($0)), scale]), shift])
          .literal?.floats
      }
    case .transpose, .unsqueeze, .squeeze(.some):
      return operand()?.mapped { try node.operation.inferred(from: [Inferred(.floats($0))]).literal?.floats }
    case .gather(let axis):
      // Only along an axis whose bounds are told one by one; along others they are the same everywhere.
      guard let x = operand(), let indices = inferred[node.inputs[1].index].literal else { return nil }
      let counted = axis < 0 ? axis + x.lower.shape.rank : axis
      guard x.lower.shape.dimensions.indices.contains(counted),
        x.lower.shape[counted] == inferred[node.inputs[0].index].shape[counted]
      else { return nil }
      return x.mapped { try node.operation.inferred(from: [Inferred(.floats($0)), Inferred(indices)]).literal?.floats }
    case .concat(let axis):
      let parts = node.inputs.map { range(of: $0, pixels, inferred) }
      guard parts.allSatisfy({ $0 != nil }) else { return nil }
      // Along the joined axis each part has its bounds once for every element.
      func joined(_ bound: KeyPath<ValueRange, Tensor>) -> Tensor? {
        let expanded = zip(parts, node.inputs).compactMap { part, id -> Inferred? in
          let bounds = part![keyPath: bound]
          let counted = axis < 0 ? axis + bounds.shape.rank : axis
          var extents = bounds.shape.dimensions
          guard extents.indices.contains(counted) else { return nil }
          extents[counted] = inferred[id.index].shape[counted]
          return try? Operator.expand.inferred(
            from: [Inferred(.floats(bounds)), Inferred(.integers(IntegerTensor(extents)))])
        }
        guard expanded.count == parts.count else { return nil }
        return try? node.operation.inferred(from: expanded).literal?.floats
      }
      guard let lower = joined(\.lower), let upper = joined(\.upper), lower.shape == upper.shape else { return nil }
      return ValueRange(lower: lower, upper: upper)
    case .relu: return operand().map { ValueRange(lower: $0.lower.positivePart, upper: $0.upper.positivePart) }
    case .cast(.real), .dropout, .identity: return operand()
    case .maxPool, .averagePool, .pad:
      // Bounds that differ from place to place do not survive a window or a shift.
      guard let x = operand(), x.lower.shape.dimensions.dropFirst(2).allSatisfy({ $0 == 1 }) else { return nil }
      switch node.operation {
      case .averagePool(let pool) where pool.countsPadding: return x.including(0)
      case .pad(let pad): return pad.mode == .constant ? x.including(pad.value) : x
      default: return x
      }
    default: return nil
    }
  }
}

extension ValueRange {
  /// The interval after a function that is monotone in each element.
  fileprivate func mapped(_ function: (Tensor) throws -> Tensor?) -> ValueRange? {
    guard let a = try? function(lower), let b = try? function(upper), a.shape == b.shape else { return nil }
    return ValueRange(lower: a.combined(with: b, min), upper: a.combined(with: b, max))
  }

  /// The interval widened to include a value.
  fileprivate func including(_ value: Float) -> ValueRange {
    ValueRange(lower: lower.map { min($0, value) }, upper: upper.map { max($0, value) })
  }
}
