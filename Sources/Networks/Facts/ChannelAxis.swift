extension NeuralNetwork {
  /// For each node, the axis of the channels (for a fully connected layer, of the outputs), if it follows from the
  /// layers before the node; otherwise nil.
  ///
  /// - Parameter inferred: The shapes for some input, by node.
  /// - Complexity: O(nodes and edges).
  package func channelAxes(_ inferred: [Inferred]) -> [Int?] {
    var axes = [Int?](repeating: nil, count: graph.nodes.count)
    func forward() {
      for id in graph.ids { axes[id.index] = channelAxis(of: id, axes, inferred) ?? axes[id.index] }
    }
    forward()
    // The axes of a Reshape's result follow from its consumers.
    for id in nodes(reaching: logits).reversed() {
      guard let first = graph[id].inputs.first, axes[first.index] == nil else { continue }
      let ranks = (inferred[first.index].shape.rank, inferred[id.index].shape.rank)
      switch try? graph[id].operation.origin(of: graph[id].inputs.map { inferred[$0.index] }) {
      case _ where graph[id].operation.channels == .second: axes[first.index] = 1
      case .elementwise, .joined, .mixed: if ranks.0 == ranks.1 { axes[first.index] = axes[id.index] }
      default: break
      }
    }
    forward()
    return axes
  }

  private func channelAxis(of id: Node.ID, _ axes: [Int?], _ inferred: [Inferred]) -> Int? {
    let node = graph[id]
    let output = inferred[id.index].shape
    if id == input { return output.rank == 4 ? (hasChannelsLast ? 3 : 1) : nil }
    switch node.operation.channels {
    case .second: return 1
    case .last: return output.rank - 1
    case nil: break
    }
    let operands = node.inputs.map { inferred[$0.index] }
    guard let origin = try? node.operation.origin(of: operands) else { return nil }
    // The first operand whose channels are known. Further operands count only if all are of one kind.
    switch origin {
    case .elementwise, .joined:
      return node.inputs.lazy.filter { inferred[$0.index].shape.rank == output.rank }.compactMap { axes[$0.index] }
        .first
    default:
      return node.inputs.first.flatMap { axes[$0.index] }.flatMap {
        origin.axis($0, from: operands[0].shape, to: output)
      }
    }
  }
}
