/// Takes out nodes that do nothing in inference: Identity and Dropout.
struct RemovePassThrough: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    var editor = GraphEditor()
    for id in graph.ids {
      if graph[id].kind.role == .nothing {
        editor.drop(id, of: graph, for: graph[id].inputs[0])
      } else {
        editor.keep(id, of: graph)
      }
    }
    return try editor.graph(named: graph.name, output: graph.output)
  }
}
