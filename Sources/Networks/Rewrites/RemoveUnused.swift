/// Removes nodes that no result depends on. Inputs are kept.
struct RemoveUnused: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let isUsed = graph.nodesBefore(graph.results)
    let unused = graph.ids.filter { !isUsed[$0.index] && !(graph[$0].operation is Input) }
    return try graph.edited(Dictionary(uniqueKeysWithValues: unused.map { ($0, .remove) }))
  }
}
