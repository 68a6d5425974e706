/// Takes out nodes that the output does not depend on; inputs stay.
struct RemoveUnused: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    var used = [Bool](repeating: false, count: graph.nodes.count)
    used[graph.output.index] = true
    for id in graph.ids.reversed() where used[id.index] {
      for operand in graph[id].inputs { used[operand.index] = true }
    }
    var editor = GraphEditor()
    for id in graph.ids where used[id.index] || graph[id].operation is Input { editor.keep(id, of: graph) }
    return try editor.graph(named: graph.name, output: graph.output)
  }
}
