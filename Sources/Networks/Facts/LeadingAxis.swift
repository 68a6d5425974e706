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

extension NeuralNetwork {
  /// What the nodes on the way to the logits make of the batch; walks are shared only if they can be from all kept outputs too.
  package func batching(_ inferred: [Inferred]) -> Batching {
    let own = batching(before: logits, inferred)
    guard case .items(let items, true) = own else { return own }
    return .items(
      items,
      sharesWalks: graph.keptOutputs.allSatisfy {
        batching(before: $0.node, inferred) == .items(items, sharesWalks: true)
      })
  }

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
    let known = node.inputs.map { inferred[$0.index] }
    let origin = try? node.operation.origin(of: known)
    if case .sameOrder? = origin {
      guard shape.rank > 0 else { return otherwise }
      return shape[0] == items ? .items : shape[0] % items == 0 ? .folded : otherwise
    }
    guard shape.rank > 0, origin?.keepsLeadingAxis(known) ?? false,
      operands.allSatisfy({ operand in
        let own = inferred[operand.index].shape
        return own.rank > 0 && own[0] == shape[0]
      })
    else { return otherwise }
    return operands.contains { axes[$0.index] == .folded } ? .folded : .items
  }
}
