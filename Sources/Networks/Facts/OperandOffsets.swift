import RelevanceTensors

/// Affine nodes before weighted layers: the values that a layer uses, without the constants that such nodes add.
///
/// An affine node belongs to the layer whose output it scales and shifts, as in folding. If there is no such layer
/// (after a maximum, or at the input), it belongs to the layers that use its values: for `s·x + b`, the layer's inputs
/// contribute `(s·x)·w`, and `b·w` is a bias.
package struct OperandOffsets: Sendable {
  /// For each node, whether its values include a constant that an affine node added for the layers that use them.
  package let hasOffset: [Bool]
  /// For each node, whether its values without this constant are known to be ≥ 0.
  package let isNonNegative: [Bool]
  /// For each node, whether it is an affine node that belongs to a layer before it.
  package let belongsToLayerBefore: [Bool]
}

extension NeuralNetwork {
  /// Finds the affine nodes that belong to the layers after them, among the nodes for which `isPassed` returns true.
  ///
  /// - Complexity: O(nodes and edges, and elements of constants).
  package func operandOffsets(nonNegative: [Bool], where isPassed: (Node.ID) -> Bool) -> OperandOffsets {
    let live = nodesDependingOnInput()
    let consumers = graph.consumers
    var followsLayer: [Bool] = []
    var (hasOffset, isNonNegative): ([Bool], [Bool]) = ([], [])
    for id in graph.ids {
      let node = graph[id]
      let operands = node.inputs.filter { live[$0.index] }
      let affine = operands.count == 1 ? affineEffect(of: node, on: operands[0]) : nil
      let follows =
        !operands.isEmpty && operands.allSatisfy { followsLayer[$0.index] && consumers[$0.index].count == 1 }
      // A remaining negative sign could not be moved to a layer before the node.
      followsLayer.append(node.operation.isWeighted || follows && (affine?.isPositive ?? node.operation.isLinear))
      if let affine, !followsLayer[id.index], isPassed(id) {
        let x = operands[0].index
        hasOffset.append(hasOffset[x] || affine.shifts)
        isNonNegative.append(isNonNegative[x] && affine.isPositive)
      } else if node.operation.movesValues, operands.contains(where: { hasOffset[$0.index] }) {
        hasOffset.append(true)
        isNonNegative.append(operands.allSatisfy { isNonNegative[$0.index] })
      } else {
        hasOffset.append(false)
        isNonNegative.append(nonNegative[id.index])
      }
    }
    let belongs = graph.ids.map { followsLayer[$0.index] && !graph[$0].operation.isWeighted }
    return OperandOffsets(hasOffset: hasOffset, isNonNegative: isNonNegative, belongsToLayerBefore: belongs)
  }

  /// The effect of a node on its only live operand. The effect of computed constants is unknown.
  private func affineEffect(of node: Node, on x: Node.ID) -> AffineEffect? {
    let other = node.inputs.first { $0 != x }.flatMap { (graph[$0].operation as? Constant)?.tensor }
    return node.operation.affineEffect(on: node.inputs.firstIndex(of: x) ?? 0, constant: other)
  }

  /// The constant that affine nodes added to a node's values, for an input of some shape: the node's values if the
  /// operands that the first affine nodes scale are 0.
  package func offset(of id: Node.ID, _ offsets: OperandOffsets, forInput shape: TensorShape) throws -> Tensor {
    let analysis = try analysis(forInput: shape)
    func value(_ id: Node.ID) throws -> Literal {
      if let literal = analysis[id].literal { return literal }
      let node = graph[id]
      guard offsets.hasOffset[id.index] else { return .floats(Tensor(shape: analysis[id].shape)) }
      let known = try node.inputs.map { Inferred(try value($0)) }
      if let normalization = node.operation as? BatchNormalization {
        let (scale, shift) = normalization.perChannel(rank: analysis[id].shape.rank)
        let product = try Multiply().literal(of: [known[0], Inferred(.floats(scale))])
        if let product, let sum = try Add().literal(of: [Inferred(product), Inferred(.floats(shift))]) { return sum }
      }
      guard let result = try node.operation.literal(of: known) else {
        throw GraphError.shape(
          node: node.name, operator: node.kind.name, reason: "the constant that it adds to its operand is unknown")
      }
      return result
    }
    return try value(id).floats
  }
}
