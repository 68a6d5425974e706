extension NeuralNetwork {
  /// Whether the input's channels come last (batch × height × width × channels), as TensorFlow's exporters write it: all that
  /// looks at the picture first brings them to the second axis.
  ///
  /// - Complexity: O(nodes and edges).
  public var hasChannelsLast: Bool {
    guard inputShape.extents.count == 4 else { return false }
    let consumers = graph.consumers
    var pending = consumers[input.index]
    var isTransposed = false
    while let id = pending.popLast() {
      switch graph[id].operation {
      case let transpose as Transpose:
        guard transpose.order == [0, 3, 1, 2] else { return false }
        isTransposed = true
      // Scaling and shifting of pixels keeps their order.
      case is any PairwiseFunction, is Cast, is Identity: pending += consumers[id.index]
      // Shape arithmetic does not look at pixels.
      case is ShapeOf: break
      default: return false
      }
    }
    return isTransposed
  }
}
