import RelevanceTensors

/// Converts `Add(Linear(x), constant)` to a linear layer with a bias. Exporters write MatMul heads in this way.
///
/// The linear layer must have no bias and no other user, and the constant must have one number per output.
struct MergeLinearBias: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let consumers = graph.consumers
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids {
      guard let (layer, linear, bias) = parts(of: id, in: graph), consumers[layer.index].count == 1 else { continue }
      edits[layer] = .change(to: Linear(weight: linear.weight, bias: bias))
      edits[id] = .drop(for: layer)
    }
    return try graph.edited(edits)
  }

  private func parts(of id: Node.ID, in graph: Graph) -> (layer: Node.ID, linear: Linear, bias: Tensor)? {
    guard graph[id].operation is Add else { return nil }
    for (layer, value) in graph.constantsBesideOperands(of: id) {
      if let linear = graph[layer].operation as? Linear, linear.bias == nil,
        // With more axes than batch × outputs, the sum would have another shape.
        (1...2).contains(value.shape.rank), value.count == linear.weight.shape[0], value.shape[-1] == value.count
      {
        return (layer, linear, value.reshaped(to: [value.count]))
      }
    }
    return nil
  }
}
