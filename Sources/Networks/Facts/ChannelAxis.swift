import Tensors

extension Network {
  /// For each node the axis along which channels (of a fully connected layer: outputs) lie, where it follows from the layers that
  /// made them; nil where it does not.
  ///
  /// - Parameter inferred: the shapes for some input, by node.
  /// - Complexity: O(nodes and edges).
  package func channelAxes(_ inferred: [Inferred]) -> [Int?] {
    var axes: [Int?] = []
    axes.reserveCapacity(graph.nodes.count)
    for id in graph.ids { axes.append(channelAxis(of: id, axes, inferred)) }
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
    // The first operand whose channels are known; further ones only where all are of one kind.
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
