import RelevanceTensors

/// Lets a convolution, a transposed convolution or a linear layer do what a batch normalization right behind it does.
///
/// The layer must have no other user. This keeps what the network computes, but not how relevance is shared: the layer's
/// bias and the sizes of its weights change. So it is not done unless it is asked for.
struct FoldBatchNormalization: Rewrite {
  /// The shape of every node's output, for some input.
  let shapes: [TensorShape]

  func apply(to graph: Graph) throws -> Graph {
    let consumers = graph.consumers
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids {
      guard let normalization = graph[id].operation as? BatchNormalization, let layer = graph[id].inputs.first,
        consumers[layer.index] == [id], layer != graph.output, shapes[layer.index].rank >= 2,
        let weighted = graph[layer].operation as? any WeightedOperator,
        let operation = weighted.followed(by: normalization, rank: shapes[layer.index].rank)
      else { continue }
      edits[layer] = .change(to: operation)
      edits[id] = .drop(for: layer)
    }
    return try graph.edited(edits)
  }
}

extension NeuralNetwork {
  /// The network with each batch normalization done by the convolution or linear layer right before it, where that has no
  /// other user. It computes the same; explanations differ, since they depend on weights and biases.
  ///
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit one another.
  public func foldingBatchNormalization() throws -> NeuralNetwork {
    try NeuralNetwork(
      graph.rewritten(by: [FoldBatchNormalization(shapes: graph.shapes(forInput: fittingInputShape()))]))
  }
}

extension WeightedOperator {
  /// One layer for this one and a normalization of its result, which has `rank` axes; nil if there is none.
  fileprivate func followed(by normalization: BatchNormalization, rank: Int) -> (any Operator)? {
    // Over more axes than a matrix has, outputs come last and channels second.
    guard outputChannels == normalization.scale.count, channels == .second || rank == 2 else { return nil }
    let factors = normalization.scale.elements
    return with(
      weight: weight.multiplied { factors[outputChannel(row: $0, column: $1)] }, bias: normalization.bias(after: bias))
  }
}

extension BatchNormalization {
  /// The bias that a layer with the given one has when it does the normalization too.
  fileprivate func bias(after bias: Tensor?) -> Tensor {
    guard let bias else { return shift }
    return bias.reshaped(to: scale.shape).combined(with: scale, *).combined(with: shift, +)
  }
}
