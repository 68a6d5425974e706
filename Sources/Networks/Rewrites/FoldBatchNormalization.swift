import Tensors

/// Lets a convolution, a transposed convolution or a linear layer do what a batch normalization right behind it does.
///
/// The layer must have no other user. This keeps what the network computes, but not how relevance is shared: the layer's
/// bias and the sizes of its weights change. So it is not done unless it is asked for.
struct FoldBatchNormalization: Rewrite {
  /// The shape of every node's output, for some input.
  let shapes: [TensorShape]

  func apply(to graph: Graph) throws -> Graph {
    let consumers = graph.consumers
    var folded: [Node.ID: any Operator] = [:]
    var absorbed: [Node.ID: Node.ID] = [:]
    for id in graph.ids {
      guard let normalization = graph[id].operation as? BatchNormalization, let layer = graph[id].inputs.first,
        consumers[layer.index] == [id], layer != graph.output, shapes[layer.index].rank >= 2,
        let weighted = graph[layer].operation as? any WeightedOperator,
        let operation = weighted.followed(by: normalization, rank: shapes[layer.index].rank)
      else { continue }
      folded[layer] = operation
      absorbed[id] = layer
    }
    var editor = GraphEditor()
    for id in graph.ids {
      if let layer = absorbed[id] {
        editor.drop(id, of: graph, for: layer)
      } else {
        editor.keep(id, of: graph, as: folded[id])
      }
    }
    return try editor.graph(named: graph.name, output: graph.output)
  }
}

extension NeuralNetwork {
  /// The network with each batch normalization done by the convolution or linear layer right before it, where that has no
  /// other user. It computes the same; explanations differ, since they depend on weights and biases.
  ///
  /// - Throws: `GraphError` if the network's nodes do not fit one another.
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
    return with(
      weight: weight.scaled(by: normalization.scale) { outputChannel(row: $0, column: $1) },
      bias: normalization.bias(after: bias))
  }
}

extension BatchNormalization {
  /// The bias that a layer with the given one has when it does the normalization too.
  fileprivate func bias(after bias: Tensor?) -> Tensor {
    guard let bias else { return shift }
    return bias.reshaped(to: scale.shape).combined(with: scale, *).combined(with: shift, +)
  }
}

extension Tensor {
  /// The weights, each times the factor of the channel that `channel` gives for its indices along the first two axes.
  fileprivate func scaled(by factors: Tensor, _ channel: (_ row: Int, _ column: Int) -> Int) -> Tensor {
    let (rows, columns) = (shape[0], shape[1])
    let run = count / max(rows * columns, 1)
    return Tensor(uninitialized: shape) { result in
      withUnsafeElements { weights in
        factors.withUnsafeElements { factors in
          for row in 0..<rows {
            for column in 0..<columns {
              let factor = factors[channel(row, column)]
              let start = (row * columns + column) * run
              for i in start..<start + run { result[i] = weights[i] * factor }
            }
          }
        }
      }
    }
  }
}
