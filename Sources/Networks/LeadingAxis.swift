import Tensors

/// What the first axis of a node's output has to do with the items of a batch.
package enum LeadingAxis: Hashable, Sendable {
  /// It counts the items: index `i` holds what was made of input `i`.
  case items
  /// The items lie one after the other, but the first axis counts something else: views that were folded into the batch, say, or
  /// classes where the batch's axis was dropped.
  case folded
  /// Some part of the output depends on several items, or the items do not lie one after the other.
  case mixed
}

/// What the nodes between an input and an output make of a batch.
package enum Batching: Hashable, Sendable {
  /// The items are independent. Where every first axis counts them, several targets can share a walk, as further items.
  case items(Int, sharesWalks: Bool)
  /// From this node on, items are mixed.
  case mixed(Node.ID)
}

extension Network {
  /// What the nodes on the way to `target` make of the batch of an input.
  ///
  /// - Parameter inferred: the shapes for the input, by node.
  /// - Complexity: O(nodes and edges).
  package func batching(before target: Node.ID, _ inferred: [Inferred]) -> Batching {
    let shape = inferred[input.index].shape
    let items = shape.rank > 0 ? shape[0] : 1
    var axes = [LeadingAxis?](repeating: nil, count: graph.nodes.count)
    var sharesWalks = true
    for id in nodes(reaching: target) {
      let axis = id == input ? .items : leadingAxis(of: id, items: items, axes, inferred)
      if axis == .mixed { return .mixed(id) }
      if axis == .folded { sharesWalks = false }
      axes[id.index] = axis
    }
    return .items(items, sharesWalks: sharesWalks)
  }

  /// The first axis of a node of which the operands' are known; nil stands for one that does not depend on the input.
  private func leadingAxis(of id: Node.ID, items: Int, _ axes: [LeadingAxis?], _ inferred: [Inferred]) -> LeadingAxis {
    let node = graph[id]
    let shape = inferred[id.index].shape
    // One item is always in one piece.
    let otherwise = items == 1 ? LeadingAxis.folded : .mixed
    let operands = node.inputs.filter { axes[$0.index] != nil }
    if node.operation.keepsOrder {
      guard shape.rank > 0 else { return otherwise }
      return shape[0] == items ? .items : shape[0] % items == 0 ? .folded : otherwise
    }
    guard shape.rank > 0, node.operation.keepsLeadingAxis(node.inputs.map { inferred[$0.index] }),
      operands.allSatisfy({ operand in
        let own = inferred[operand.index].shape
        return own.rank > 0 && own[0] == shape[0]
      })
    else { return otherwise }
    return operands.contains { axes[$0.index] == .folded } ? .folded : .items
  }
}

extension Operator {
  /// Whether the output's elements are the operand's in the same order.
  fileprivate var keepsOrder: Bool {
    switch self {
    case .flatten, .reshape, .squeeze, .unsqueeze: true
    default: false
    }
  }

  /// Whether index `i` along the output's first axis depends on nothing but index `i` along that of the operands.
  fileprivate func keepsLeadingAxis(_ operands: [Inferred]) -> Bool {
    let rank = operands.first?.shape.rank ?? 0
    func isOther(_ axis: Int) -> Bool { (axis < 0 ? axis + rank : axis) > 0 }
    switch self {
    case .linear: return rank > 1
    case .concat(let axis): return isOther(axis)
    case .softmax(let softmax), .logSoftmax(let softmax): return isOther(softmax.axis)
    case .layerNormalization(let parameters): return isOther(parameters.axis)
    case .part(let axis, _, _), .gather(let axis): return isOther(axis)
    case .mean(let mean): return mean.axes.allSatisfy(isOther)
    case .transpose(let order): return (order ?? (0..<rank).reversed()).first == 0
    case .add, .multiply, .binary:
      // Broadcasting aligns last axes: a shorter operand's first axis is not the output's.
      let longest = operands.map(\.shape.rank).max() ?? 0
      return operands.allSatisfy { $0.literal != nil || $0.shape.rank == longest }
    case .reduce(let reduction):
      guard let x = operands.first?.shape, let axes = try? reduction.axes(of: x, operands) else { return false }
      return !axes.contains(0)
    case .slice, .pad, .expand:
      guard let selection = try? selection(of: operands) else { return false }
      return selection.keepsLeadingAxis
    case .resize(let resize):
      guard let x = operands.first?.shape, let weights = try? resize.weights(of: x, operands).first else {
        return false
      }
      return weights.enumerated().allSatisfy { $0.element.low == $0.offset && $0.element.share == 0 }
    default: return true
    }
  }
}
