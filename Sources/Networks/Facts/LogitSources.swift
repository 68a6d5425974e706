import RelevanceSupport

/// Finds the logits of scores that a network converts to probabilities before its end, because it joins them to other
/// values there.
///
/// The search follows elements back through nodes that only move, join or clip them, up to a sigmoid or a softmax.
package final class LogitSources: Sendable {
  private let network: NeuralNetwork
  private let inferred: [Inferred]
  private let origins = Cache<Node.ID, Origin?>()

  /// - Parameter inferred: The shapes for the input, by node.
  package init(_ network: NeuralNetwork, _ inferred: [Inferred]) {
    (self.network, self.inferred) = (network, inferred)
  }

  /// The node and element whose sigmoid or softmax is an element of a node, by default of the logits. Nil if the
  /// element is computed in any other way.
  ///
  /// - Complexity: O(nodes passed). A node's origin is computed once.
  package func source(of element: Int, at node: Node.ID? = nil) -> (node: Node.ID, element: Int)? {
    let graph = network.graph
    var (id, element) = (node ?? network.logits, element)
    while true {
      let shape = inferred[id.index].shape
      if let operand = graph.sigmoidOperand(id) ?? graph.softmaxOperand(id)?.0 {
        return inferred[operand.index].shape == shape ? (operand, element) : nil
      }
      let node = graph[id]
      guard let first = node.inputs.first else { return nil }
      switch origin(of: id) {
      case .sameOrder: id = first
      case .elementwise where node.operation.keepsElements || node.operation is Clip: id = first
      case .selection(let selection):
        element = selection.source(of: element)
        guard element >= 0 else { return nil }
        id = first
      case .joined(let axis):
        let inner = shape.dimensions[(axis + 1)...].reduce(1, *)
        var index = element / inner % shape[axis]
        let outer = element / inner / shape[axis]
        guard
          let operand = node.inputs.first(where: { operand in
            let extent = inferred[operand.index].shape[axis]
            if index < extent { return true }
            index -= extent
            return false
          })
        else { return nil }
        element = (outer * inferred[operand.index].shape[axis] + index) * inner + element % inner
        id = operand
      default: return nil
      }
    }
  }

  private func origin(of id: Node.ID) -> Origin? {
    origins.value(for: id) {
      try? network.graph[id].operation.origin(of: network.graph[id].inputs.map { inferred[$0.index] })
    }
  }
}

extension Selection {
  /// The operand's position for an element of the result; −1 for the constant.
  fileprivate func source(of element: Int) -> Int {
    if let positions { return positions[element] }
    let strides = input.strides
    var (rest, position) = (element, 0)
    for (source, indices) in axes.reversed() {
      let index = indices[rest % indices.count]
      rest /= indices.count
      if index < 0 { return -1 }
      position += index * (source.map { strides[$0] } ?? 0)
    }
    return position
  }
}
