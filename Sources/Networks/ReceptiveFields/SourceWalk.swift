import RelevanceTensors

/// The path back from a node to the input, along which elements are followed to the elements that they depend on.
package struct SourceWalk: Sendable {
  /// A node on the path, and its operands.
  private struct Step: Sendable {
    let id: Node.ID
    let operation: any Operator
    let operands: [Inferred]
    /// The node of each operand that depends on the input.
    let nodes: [Node.ID?]
  }
  /// The nodes that lead from the input to the node, last first, without the input.
  private let steps: [Step]
  private let input: Node.ID
  private let nodeCount: Int
  package let node: Node.ID
  package let inputShape: TensorShape
  /// The shape of the node's output.
  package let shape: TensorShape

  /// Prepares the path back from a node.
  ///
  /// - Parameters:
  ///   - node: The node. The result is nil if it does not depend on the input.
  ///   - network: The network.
  ///   - inferred: The shapes for some input, by node. The result is nil if one of them is missing on the path.
  package init?(from node: Node.ID, in network: NeuralNetwork, _ inferred: [Inferred?]) {
    let graph = network.graph
    let nodes = network.nodes(reaching: node)
    let isOnWay = Set(nodes)
    guard isOnWay.contains(node), let shape = inferred[node.index]?.shape,
      let inputShape = inferred[network.input.index]?.shape
    else { return nil }
    var steps: [Step] = []
    for id in nodes.reversed() where id != network.input {
      let operands = graph[id].inputs.compactMap { inferred[$0.index] }
      guard operands.count == graph[id].inputs.count else { return nil }
      let nodes = graph[id].inputs.map { isOnWay.contains($0) ? $0 : nil }
      steps.append(Step(id: id, operation: graph[id].operation, operands: operands, nodes: nodes))
    }
    (self.steps, self.node, self.shape, self.inputShape) = (steps, node, shape, inputShape)
    (input, nodeCount) = (network.input, graph.nodes.count)
  }

  /// The elements of the input that some elements of the node's output depend on.
  ///
  /// - Complexity: O(nodes and edges), times the extents of the outputs if sets are blocks.
  package func sources(of elements: ElementSet) -> ElementSet {
    var sets = [ElementSet?](repeating: nil, count: nodeCount)
    sets[node.index] = elements
    for step in steps {
      guard let set = sets[step.id.index], !set.isEmpty else { continue }
      sets[step.id.index] = nil
      let found = try? step.operation.sources(of: set, among: step.operands)
      for (place, operand) in step.nodes.enumerated() {
        guard let operand else { continue }
        let shape = step.operands[place].shape
        // All elements if nothing is known.
        var own = found.flatMap { $0.indices.contains(place) ? $0[place] : nil } ?? ElementSet(allOf: shape)
        own.meetsPadding = own.meetsPadding || set.meetsPadding
        sets[operand.index, default: ElementSet(noneOf: shape)].formUnion(own)
      }
    }
    return sets[input.index] ?? ElementSet(noneOf: inputShape)
  }
}

extension [ElementSet?] {
  fileprivate subscript(index: Int, default set: @autoclosure () -> ElementSet) -> ElementSet {
    get { self[index] ?? set() }
    _modify {
      var value = self[index] ?? set()
      self[index] = nil
      defer { self[index] = value }
      yield &value
    }
  }
}
