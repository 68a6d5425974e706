import Tensors

extension NeuralNetwork {
  /// A concrete shape that the network takes: the extents that the input declares, batch 1, and for an open height and
  /// width 224 or, if that does not fit, the first of some other sizes that does.
  ///
  /// - Throws: `RelevanceKitError` as for 224 if none of them fits.
  public func fittingInputShape() throws -> TensorShape {
    var first: (any Error)?
    for side in Self.sides {
      do { return try analysis(forInput: exampleInputShape(side: side)).inputShape } catch { first = first ?? error }
    }
    throw first!
  }

  fileprivate static let sides = [224, 256, 299, 512, 64, 32, 28, 8]
}

extension Graph {
  /// Shapes and values of every node's output for an input of batch 1 and the first size that fits; nil if none does.
  func inferredForFittingInput() -> [Inferred]? {
    guard let input = nodes.lazy.compactMap({ $0.operation as? Input }).first else { return nil }
    for side in NeuralNetwork.sides {
      if let inferred = try? inferred(forInput: input.shape.example(side: side), report: { throw $0 }) {
        return inferred.compactMap { $0 }
      }
    }
    return nil
  }
}
