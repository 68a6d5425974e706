extension Graph {
  /// For each node, whether it is `target` or `target` depends on it.
  func nodesBefore(_ target: Node.ID) -> [Bool] { nodesBefore([target]) }

  /// For each node, whether it is one of some targets or one of them depends on it.
  package func nodesBefore(_ targets: [Node.ID]) -> [Bool] {
    var needed = [Bool](repeating: false, count: nodes.count)
    for target in targets { needed[target.index] = true }
    for id in ids.reversed() where needed[id.index] {
      for operand in self[id].inputs { needed[operand.index] = true }
    }
    return needed
  }
}

extension NeuralNetwork {
  /// The nodes that depend on the image and that `target` depends on: the nodes that relevance can reach.
  ///
  /// - Complexity: O(nodes and edges).
  package func nodes(reaching target: Node.ID) -> [Node.ID] { nodes(reaching: [target]) }

  /// The logits and the kept outputs, whose units can also be explained: the nodes where relevance can start.
  package var ends: [Node.ID] { [logits] + graph.keptOutputs.map(\.node) }

  /// The same for several targets.
  package func nodes(reaching targets: [Node.ID]) -> [Node.ID] {
    let live = nodesDependingOnInput()
    let needed = graph.nodesBefore(targets)
    return graph.ids.filter { live[$0.index] && needed[$0.index] }
  }

  func nodesDependingOnInput() -> [Bool] {
    var live: [Bool] = []
    for id in graph.ids {
      // Extents do not depend on the contents of the image.
      live.append(id == input || !(graph[id].operation is ShapeOf) && graph[id].inputs.contains { live[$0.index] })
    }
    return live
  }

  /// The weighted nodes that no other weighted node precedes on the way from the input, and those that none follows on
  /// the way to one of `targets`: the first and last layers by data flow.
  ///
  /// - Complexity: O(nodes and edges).
  package func outermostWeightedNodes(before targets: [Node.ID]) -> (first: Set<Node.ID>, last: Set<Node.ID>) {
    let found = targets.map { outermostWeightedNodes(before: $0) }
    return (
      found.reduce(into: Set()) { $0.formUnion($1.first) }, found.reduce(into: Set()) { $0.formUnion($1.last) }
    )
  }

  /// The same for one target.
  package func outermostWeightedNodes(before target: Node.ID) -> (first: Set<Node.ID>, last: Set<Node.ID>) {
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

  /// The nodes on every path from the input to a target, in order. The input and the target are the first and last of
  /// them. Constants and shape arithmetic are on no path.
  ///
  /// - Complexity: O(nodes and edges).
  package func dominators(of target: Node.ID) -> [Node.ID] {
    let nodes = nodes(reaching: target)
    let isOnPath = Set(nodes)
    // All of these nodes are on some path. The nodes on all paths are therefore those that no edge bypasses, in an
    // order with operands first: everything before such a node leads to it, and everything after it comes from it.
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

extension Graph {
  /// For each node, whether it is this node or uses its output, directly or indirectly.
  package func downstream(of id: Node.ID) -> [Bool] {
    var found = [Bool](repeating: false, count: nodes.count)
    for other in ids where other >= id {
      found[other.index] = other == id || self[other].inputs.contains { found[$0.index] }
    }
    return found
  }
}
