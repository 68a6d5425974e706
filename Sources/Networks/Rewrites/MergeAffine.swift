import Tensors

/// Turns `x · scale + shift` with one number of each per channel into batch normalization, which is what it was before an
/// exporter spelled it out.
struct MergeAffine: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    // Where shapes are not known the graph stays as it is.
    guard let input = graph.inputs.first, let shape = (graph[input].operation as? Input)?.shape,
      graph.nodes.contains(where: { $0.operation is Add }),
      let ranks = try? graph.shapes(forInput: shape.example()).map(\.rank)
    else { return graph }
    let consumers = graph.consumers
    var normalized: [Node.ID: BatchNormalization] = [:]
    var absorbed: [Node.ID: Node.ID] = [:]
    for id in graph.ids where graph[id].operation is Add && ranks[id.index] == 4 {
      guard let (product, shift) = perChannel(id, in: graph), graph[product].operation is Multiply,
        consumers[product.index].count == 1, ranks[product.index] == 4,
        let (x, scale) = perChannel(product, in: graph), ranks[x.index] == 4, scale.count == shift.count
      else { continue }
      normalized[product] = BatchNormalization(scale: scale, shift: shift)
      absorbed[id] = product
    }
    var editor = GraphEditor()
    for id in graph.ids {
      if let product = absorbed[id] {
        editor.drop(id, of: graph, for: product)
      } else if let parameters = normalized[id], let (x, _) = perChannel(id, in: graph) {
        editor.keep(id, of: graph, as: parameters, inputs: [x])
      } else {
        editor.keep(id, of: graph)
      }
    }
    return try editor.graph(named: graph.name, output: graph.output)
  }

  /// The operand of a sum or product that is not constant, and the constant as one number per channel.
  private func perChannel(_ id: Node.ID, in graph: Graph) -> (x: Node.ID, numbers: Tensor)? {
    guard graph[id].inputs.count == 2 else { return nil }
    let (a, b) = (graph[id].inputs[0], graph[id].inputs[1])
    for (x, other) in [(a, b), (b, a)] {
      guard let value = (graph[other].operation as? Constant)?.tensor, (3...4).contains(value.shape.rank),
        value.count > 1,
        value.shape[-3] == value.count
      else { continue }
      return (x, value.reshaped(to: [value.count]))
    }
    return nil
  }
}
