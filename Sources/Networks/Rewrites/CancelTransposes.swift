/// Takes out pairs of Transpose that undo each other, also with functions of single elements between them: the islands that
/// converters from height × width × channels leave behind.
struct CancelTransposes: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let consumers = graph.consumers
    /// For a node between a pair, or the second of a pair, what it takes, or is replaced by, instead.
    var rebased: [Node.ID: Node.ID] = [:]
    var replaced: [Node.ID: Node.ID] = [:]
    for id in graph.ids {
      guard let second = (graph[id].operation as? Transpose)?.order else { continue }
      var between: [Node.ID] = []
      var operand = graph[id].inputs[0]
      while Self.takesElementsOneByOne(graph[operand].operation), consumers[operand.index].count == 1 {
        between.append(operand)
        operand = graph[operand].inputs[0]
      }
      guard let first = (graph[operand].operation as? Transpose)?.order, first.count == second.count,
        second.indices.allSatisfy({ first[second[$0]] == $0 }), between.allSatisfy({ rebased[$0] == nil })
      else { continue }
      // The first may itself be the second of a pair; then what stands for it is what counts.
      guard replaced[operand] == nil else { continue }
      replaced[id] = between.first ?? graph[operand].inputs[0]
      if let nearest = between.last { rebased[nearest] = graph[operand].inputs[0] }
    }
    var editor = GraphEditor()
    for id in graph.ids {
      if let survivor = replaced[id] {
        editor.drop(id, of: graph, for: survivor)
      } else {
        editor.keep(id, of: graph, inputs: rebased[id].map { [$0] })
      }
    }
    return try editor.graph(named: graph.name, output: graph.output)
  }

  private static func takesElementsOneByOne(_ operation: any Operator) -> Bool {
    operation is any ElementwiseFunction || operation is Cast || operation.kind.role == .nothing
  }
}
