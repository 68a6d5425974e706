import RelevanceNetworks
import RelevanceTensors

extension Executor {
  /// How many variations of a node's values one run can compute: as many as asked for, or 1 if the network does not do for each item of such
  /// a batch what it did in the run.
  ///
  /// - Parameters:
  ///   - most: how many are wanted.
  ///   - forward: a run of this network.
  ///   - id: the node.
  package func variationsTogether(_ most: Int, of id: Node.ID, in forward: ForwardTrace) -> Int {
    guard most > 1, forward.items == 1, let several = try? plan(forward.input.shape.withBatch(most)),
      several.items == most, several.layout == forward.plan.layout
    else { return 1 }
    let isAlike = ([id] + forward.valuesRead(behind: id)).allSatisfy { node in
      switch several.itemLayouts[node.index] {
      case .items: several.shapes[node.index] == forward.shape(of: node).withBatch(most)
      case nil: several.shapes[node.index] == forward.shape(of: node)
      default: false
      }
    }
    return isAlike ? most : 1
  }

  /// The logits that a run would have had if a node had had other values: only what lies behind the node is computed.
  ///
  /// - Parameters:
  ///   - forward: a run of this network.
  ///   - id: a node on which the logits depend.
  ///   - variations: values of the node's shape; several only as far as `variationsTogether(_:of:in:)` allows.
  /// - Returns: the logits' node's values, those of several variations as items of a batch.
  /// - Throws: `RelevanceKitError` if they are NaN or infinite, or if values do not fit memory.
  package func logits(
    of forward: ForwardTrace, replacing id: Node.ID, with variations: [Tensor]
  ) throws -> Tensor {
    let count = variations.count
    let joined = count == 1 ? variations[0] : Tensor(joining: variations)
    if id == network.input { return try logits(joined) }
    let plan = try plan(count == 1 ? forward.input.shape : forward.input.shape.withBatch(count))
    var given = [id: joined]
    for node in forward.valuesRead(behind: id) {
      let value = forward.value(of: node)
      let isRepeated = count > 1 && plan.itemLayouts[node.index] != nil
      given[node] = isRepeated ? Tensor(joining: [Tensor](repeating: value, count: count)) : value
    }
    let found = plan.run(replacing: id, given: given, forward.input, on: workers).value(of: network.logits)
    guard found.isFinite else { throw ExecutionError.notFinite(node: network.graph[network.logits].name) }
    // A copy, so that the run's memory can be used again.
    return found.map { $0 }
  }
}

extension ForwardTrace {
  /// The nodes that are not behind a node, but whose values are read there; without constants.
  fileprivate func valuesRead(behind id: Node.ID) -> [Node.ID] {
    let behind = graph.downstream(of: id)
    let read = Set(graph.ids.lazy.filter { $0 != id && behind[$0.index] }.flatMap { self.graph[$0].inputs })
    return read.filter { !behind[$0.index] && plan.analysis.inferred[$0.index].literal == nil }.sorted()
  }
}
