/// Removes nodes that have no effect in inference: Identity and Dropout.
struct RemovePassThrough: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let idle = graph.ids.filter { graph[$0].kind.role == .nothing }
    return try graph.edited(Dictionary(uniqueKeysWithValues: idle.map { ($0, .drop(for: graph[$0].inputs[0])) }))
  }
}
