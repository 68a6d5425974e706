extension Graph {
  /// For each node whether it is `target`, or one that `target` depends on.
  func nodesBefore(_ target: Node.ID) -> [Bool] { nodesBefore([target]) }

  /// For each node whether it is one of some targets, or one that any of them depends on.
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
  /// The nodes whose values depend on the image and that `target` depends on: those that relevance can reach.
  ///
  /// - Complexity: O(nodes and edges).
  package func nodes(reaching target: Node.ID) -> [Node.ID] { nodes(reaching: [target]) }

  /// The logits, and what is kept beside them so that its units can be explained: where relevance can start.
  package var ends: [Node.ID] { [logits] + graph.keptOutputs.map(\.node) }

  /// The same of several targets.
  package func nodes(reaching targets: [Node.ID]) -> [Node.ID] {
    let live = nodesDependingOnInput()
    let needed = graph.nodesBefore(targets)
    return graph.ids.filter { live[$0.index] && needed[$0.index] }
  }

  func nodesDependingOnInput() -> [Bool] {
    var live: [Bool] = []
    for id in graph.ids {
      // Extents say nothing of what is in the picture.
      live.append(id == input || !(graph[id].operation is ShapeOf) && graph[id].inputs.contains { live[$0.index] })
    }
    return live
  }

  /// The weighted nodes that no other weighted node comes before on the way from the input, and those that none comes
  /// after on the way to one of `targets`: the first and last layers by data flow.
  ///
  /// - Complexity: O(nodes and edges).
  package func outermostWeightedNodes(before targets: [Node.ID]) -> (first: Set<Node.ID>, last: Set<Node.ID>) {
    let found = targets.map { outermostWeightedNodes(before: $0) }
    return (
      found.reduce(into: Set()) { $0.formUnion($1.first) }, found.reduce(into: Set()) { $0.formUnion($1.last) }
    )
  }

  /// The same of one target.
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

extension Graph {
  /// For each node whether it is this one or what this one's output goes into.
  package func downstream(of id: Node.ID) -> [Bool] {
    var found = [Bool](repeating: false, count: nodes.count)
    for other in ids where other >= id {
      found[other.index] = other == id || self[other].inputs.contains { found[$0.index] }
    }
    return found
  }
}
