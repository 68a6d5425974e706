/// Removes pairs of Transpose that cancel each other, also with elementwise functions between them. Converters from
/// height × width × channels leave such islands.
struct CancelTransposes: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let consumers = graph.consumers
    // Nodes between a pair get another operand, and the second node of a pair is replaced.
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids {
      guard let second = (graph[id].operation as? Transpose)?.order else { continue }
      var between: [Node.ID] = []
      var operand = graph[id].inputs[0]
      while Self.takesElementsOneByOne(graph[operand].operation), consumers[operand.index].count == 1 {
        between.append(operand)
        operand = graph[operand].inputs[0]
      }
      guard let first = (graph[operand].operation as? Transpose)?.order, first.count == second.count,
        second.indices.allSatisfy({ first[second[$0]] == $0 }), between.allSatisfy({ edits[$0] == nil })
      else { continue }
      // The first node may itself be the second one of a pair. Then its replacement counts.
      guard edits[operand] == nil else { continue }
      edits[id] = .drop(for: between.first ?? graph[operand].inputs[0])
      if let nearest = between.last { edits[nearest] = .change(to: nil, inputs: [graph[operand].inputs[0]]) }
    }
    return try graph.edited(edits)
  }

  private static func takesElementsOneByOne(_ operation: any Operator) -> Bool {
    operation is any ElementwiseFunction || operation is Cast || operation.kind.role == .nothing
  }
}
