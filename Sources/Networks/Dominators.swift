extension Network {
  /// The nodes that every path from the input to a target passes, in order; the input and the target are the first and last of them.
  /// Constants and shape arithmetic are on no path.
  ///
  /// - Complexity: O(nodes and edges).
  package func dominators(of target: Node.ID) -> [Node.ID] {
    let nodes = nodes(reaching: target)
    let isOnPath = Set(nodes)
    // All of these nodes are on some path. So those that all paths pass are those that no edge leads around, in an order in which
    // operands come first: what is before such a node leads to it, and what is behind it comes from it.
    var furthest: [Node.ID: Node.ID] = [:]
    for id in nodes {
      for operand in graph[id].inputs where isOnPath.contains(operand) {
        furthest[operand] = max(furthest[operand] ?? id, id)
      }
    }
    var result: [Node.ID] = []
    var reach = nodes.first
    for id in nodes {
      if let end = reach, end <= id { result.append(id) }
      reach = [reach, furthest[id]].compactMap { $0 }.max()
    }
    return result
  }
}
