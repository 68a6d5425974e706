import RelevanceTensors

/// Folds a batch normalization into the convolution, transposed convolution or linear layer before it.
///
/// The layer must have no other user. The network computes the same, but relevance is distributed differently, because
/// the layer's bias and the magnitudes of its weights change. Therefore it is only done on request.
struct FoldBatchNormalization: Rewrite {
  /// The shape of every node's output for some input.
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
  /// The network with each batch normalization folded into the convolution or linear layer before it, if the layer has
  /// no other user. It computes the same. Explanations differ, because they depend on weights and biases.
  ///
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit together.
  public func foldingBatchNormalization() throws -> NeuralNetwork {
    try NeuralNetwork(
      graph.rewritten(by: [FoldBatchNormalization(shapes: graph.shapes(forInput: fittingInputShape()))]))
  }
}

extension WeightedOperator {
  /// One layer that replaces this one and a normalization of its result, which has `rank` axes; nil if there is none.
  fileprivate func followed(by normalization: BatchNormalization, rank: Int) -> (any Operator)? {
    // With more axes than a matrix, outputs are last and channels second.
    guard outputChannels == normalization.scale.count, channels == .second || rank == 2 else { return nil }
    let factors = normalization.scale.elements
    return with(
      weight: weight.multiplied { factors[outputChannel(row: $0, column: $1)] }, bias: normalization.bias(after: bias))
  }
}

extension BatchNormalization {
  /// The bias of a layer that includes the normalization.
  fileprivate func bias(after bias: Tensor?) -> Tensor {
    guard let bias else { return shift }
    return bias.reshaped(to: scale.shape).combined(with: scale, *).combined(with: shift, +)
  }
}
