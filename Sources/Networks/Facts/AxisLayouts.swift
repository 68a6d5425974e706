/// What the axes of nodes mean, as far as it follows from the operators: convolutions and what is like them have the channels second,
/// Transpose moves them, functions of elements leave them where they are.
package struct AxisLayouts {
  /// What an axis counts.
  private enum Axis {
    case batch
    case channels
    case space
  }
  private var axes: [[Axis]?]

  /// Finds the layouts of all nodes that depend on the image; `rank` is the number of axes of a node.
  ///
  /// - Complexity: O(nodes and edges).
  package init(_ network: Network, rank: (Node.ID) -> Int) {
    let graph = network.graph
    let nodes = network.nodes(reaching: network.logits)
    axes = [[Axis]?](repeating: nil, count: graph.nodes.count)
    let order = network.hasChannelsLast ? [Axis.batch, .space, .space, .channels] : Self.channelsSecond(4)
    if rank(network.input) == 4 { axes[network.input.index] = order }
    inferForward(graph, nodes, rank)
    // What a Reshape has made is known from what reads it.
    for id in nodes.reversed() {
      let node = graph[id]
      guard let first = node.inputs.first, axes[first.index] == nil, rank(first) == rank(id) else { continue }
      if node.operation.channels == .second {
        axes[first.index] = Self.channelsSecond(rank(first))
      } else if Self.keepsAxes(node.operation) {
        axes[first.index] = axes[id.index]
      }
    }
    inferForward(graph, nodes, rank)
  }

  /// Whether a node is known to be batch × channels × positions.
  package func hasChannelsSecond(_ id: Node.ID) -> Bool {
    guard let own = axes[id.index], own.count > 2 else { return false }
    return own == Self.channelsSecond(own.count)
  }

  private static func channelsSecond(_ rank: Int) -> [Axis] {
    [.batch, .channels] + [Axis](repeating: .space, count: max(rank - 2, 0))
  }

  private mutating func inferForward(_ graph: Graph, _ nodes: [Node.ID], _ rank: (Node.ID) -> Int) {
    for id in nodes where axes[id.index] == nil {
      let node = graph[id]
      let own = rank(id)
      let known = node.inputs.lazy.compactMap { [axes] in axes[$0.index] }.first { $0.count == own }
      if node.operation.channels == .second, own > 2 {
        axes[id.index] = Self.channelsSecond(own)
      } else if let transpose = node.operation as? Transpose {
        axes[id.index] = known.map { known in (transpose.order ?? (0..<own).reversed()).map { known[$0] } }
      } else if Self.keepsAxes(node.operation) {
        axes[id.index] = known
      }
    }
  }

  /// Whether each axis of the output, if there are as many, means what that of the operands means.
  private static func keepsAxes(_ operation: any Operator) -> Bool {
    !(operation is any Reshaping || operation is Transpose || operation.channels == .second)
  }
}
