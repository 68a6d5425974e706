import RelevanceNetworks
import RelevanceTensors

extension Executor {
  /// The number of variations of a node's values that one run can compute: the requested number, or 1 if the network
  /// does not process each item of such a batch as it did in the run.
  ///
  /// - Parameters:
  ///   - most: the requested number.
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

  /// The logits of a run in which the values of a node are replaced: only nodes that depend on the node are computed.
  ///
  /// - Parameters:
  ///   - forward: a run of this network.
  ///   - id: a node on which the logits depend.
  ///   - variations: values with the node's shape; several only if `variationsTogether(_:of:in:)` allows.
  /// - Returns: the values of the logits' node; several variations are items of a batch.
  /// - Throws: `RelevanceKitError` if the logits are NaN or infinite, or if values do not fit into memory.
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
    // A copy, so that the memory of the run can be reused.
    return found.map { $0 }
  }
}

extension ForwardTrace {
  /// The nodes that do not depend on a node but are read by nodes that do, without constants.
  fileprivate func valuesRead(behind id: Node.ID) -> [Node.ID] {
    let behind = graph.downstream(of: id)
    let read = Set(graph.ids.lazy.filter { $0 != id && behind[$0.index] }.flatMap { self.graph[$0].inputs })
    return read.filter { !behind[$0.index] && plan.analysis.inferred[$0.index].literal == nil }.sorted()
  }
}
