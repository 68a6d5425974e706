import Tensors

/// Turns `Add(Linear(x), constant)` into a linear layer with a bias: the way in which MatMul heads are written.
///
/// The linear layer must have no bias yet and no other user, and the constant one number per output.
struct MergeLinearBias: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let consumers = graph.consumers
    var biased: [Node.ID: Linear] = [:]
    var absorbed: [Node.ID: Node.ID] = [:]
    for id in graph.ids {
      guard let (layer, linear, bias) = parts(of: id, in: graph), consumers[layer.index].count == 1 else { continue }
      biased[layer] = Linear(weight: linear.weight, bias: bias)
      absorbed[id] = layer
    }
    var editor = GraphEditor()
    for id in graph.ids {
      if let layer = absorbed[id] {
        editor.drop(id, of: graph, for: layer)
      } else {
        editor.keep(id, of: graph, as: biased[id])
      }
    }
    return try editor.graph(named: graph.name, output: graph.output)
  }

  private func parts(of id: Node.ID, in graph: Graph) -> (layer: Node.ID, linear: Linear, bias: Tensor)? {
    guard graph[id].operation is Add, graph[id].inputs.count == 2 else { return nil }
    let (a, b) = (graph[id].inputs[0], graph[id].inputs[1])
    for (layer, other) in [(a, b), (b, a)] {
      if let linear = graph[layer].operation as? Linear, linear.bias == nil,
        let value = (graph[other].operation as? Constant)?.tensor,
        // More axes than batch × outputs would give the sum another shape.
        (1...2).contains(value.shape.rank), value.count == linear.weight.shape[0], value.shape[-1] == value.count
      {
        return (layer, linear, value.reshaped(to: [value.count]))
      }
    }
    return nil
  }
}
