import RelevanceTensors

extension NeuralNetwork {
  /// A concrete shape that the network accepts: the extents that the input declares, batch 1, and 224 for an open
  /// height and width or, if that does not fit, the first of some other sizes that does.
  ///
  /// - Throws: `RelevanceKitError` for size 224 if none of the sizes fits.
  package func fittingInputShape() throws -> TensorShape { try graph.fittingInputShape() }
}

extension Graph {
  /// The same, for the first of the graph's inputs.
  func fittingInputShape() throws -> TensorShape {
    guard let input = nodes.lazy.compactMap({ $0.operation as? Input }).first else { throw GraphError.inputs([]) }
    var first: (any Error)?
    for side in [224, 256, 299, 512, 64, 32, 28, 8] {
      let shape = input.shape.example(side: side)
      do {
        _ = try inferred(forInput: shape)
        return shape
      } catch { first = first ?? error }
    }
    throw first!
  }
}
