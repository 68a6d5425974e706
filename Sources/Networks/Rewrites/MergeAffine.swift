import RelevanceTensors

/// Converts `x · scale + shift`, with one number per channel each, back to the batch normalization that an exporter
/// decomposed.
struct MergeAffine: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    // If shapes are unknown, the graph is not changed.
    guard let input = graph.inputs.first, let shape = (graph[input].operation as? Input)?.shape,
      graph.nodes.contains(where: { $0.operation is Add }),
      let ranks = try? graph.inferred(forInput: shape.example()).map(\.shape.rank)
    else { return graph }
    let consumers = graph.consumers
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids where graph[id].operation is Add && ranks[id.index] == 4 {
      guard let (product, shift) = perChannel(id, in: graph), graph[product].operation is Multiply,
        consumers[product.index].count == 1, ranks[product.index] == 4,
        let (x, scale) = perChannel(product, in: graph), ranks[x.index] == 4, scale.count == shift.count
      else { continue }
      edits[product] = .change(to: BatchNormalization(scale: scale, shift: shift), inputs: [x])
      edits[id] = .drop(for: product)
    }
    return try graph.edited(edits)
  }

  /// The operand of a sum or product that is not constant, and the constant as one number per channel.
  private func perChannel(_ id: Node.ID, in graph: Graph) -> (x: Node.ID, numbers: Tensor)? {
    graph.constantsBesideOperands(of: id).first { _, value in
      (3...4).contains(value.shape.rank) && value.count > 1 && value.shape[-3] == value.count
    }.map { ($0.operand, $0.constant.reshaped(to: [$0.constant.count])) }
  }
}
