import Tensors

/// Affine nodes in front of weighted layers: what the values that a layer takes are without the constants that such nodes add.
///
/// An affine node belongs to the layer whose output it scales and shifts, as folding would have it. Where there is none (behind a
/// maximum, or the input itself), it belongs to the layers that take its values: of `s·x + b`, the layer's inputs contribute
/// `(s·x)·w`, and `b·w` is a bias.
package struct OperandOffsets: Sendable {
  /// For each node whether its values hold a constant that an affine node has added for the layers that take them.
  package let hasOffset: [Bool]
  /// For each node whether its values without that constant are known to be ≥ 0.
  package let isNonNegative: [Bool]
  /// For each node whether it is an affine node that belongs to a layer before it.
  package let belongsToLayerBefore: [Bool]
}

extension Network {
  /// Finds the affine nodes that belong to the layers after them, among those that `isPassed` holds of.
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
      let affine = operands.count == 1 ? node.operation.affine(in: graph, operands[0], of: node) : nil
      let follows =
        !operands.isEmpty && operands.allSatisfy { followsLayer[$0.index] && consumers[$0.index].count == 1 }
      // A sign that still stands could not be moved to a layer before the node.
      followsLayer.append(
        node.operation.isWeighted || follows && (affine?.isPositive ?? node.operation.commutesWithSigns))
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

  /// What affine nodes have added to a node's values, for an input of some shape: the node's values where those that the first
  /// affine nodes scale are 0.
  package func offset(of id: Node.ID, _ offsets: OperandOffsets, forInput shape: Shape) throws -> Tensor {
    let inferred = try graph.inferred(forInput: shape)
    func value(_ id: Node.ID) throws -> Literal {
      if let literal = inferred[id.index].literal { return literal }
      let node = graph[id]
      guard offsets.hasOffset[id.index] else { return .floats(Tensor(shape: inferred[id.index].shape)) }
      let values = try node.inputs.map { try value($0) }
      let known = values.map { Inferred($0) }
      if case .batchNormalization(let parameters) = node.operation {
        let extents = [parameters.scale.count] + [Int](repeating: 1, count: inferred[id.index].shape.rank - 2)
        let scale = Literal.floats(parameters.scale.reshaped(to: Shape(extents)))
        let shift = Literal.floats(parameters.shift.reshaped(to: Shape(extents)))
        let product = try Operator.multiply.literal(of: [values[0], scale], [known[0], Inferred(scale)]) ?? values[0]
        return try Operator.add.literal(of: [product, shift], [Inferred(product), Inferred(shift)]) ?? product
      }
      guard let result = try node.operation.literal(of: values, known) else {
        throw GraphError.shape(
          node: node.name, operator: node.operation.kind.rawValue, reason: "what it adds to its operand is not known")
      }
      return result
    }
    return try value(id).floats
  }

  /// For each node whether it depends on the input's values.
  private func nodesDependingOnInput() -> [Bool] {
    var live: [Bool] = []
    for id in graph.ids {
      live.append(id == input || graph[id].operation.kind != .shape && graph[id].inputs.contains { live[$0.index] })
    }
    return live
  }
}

extension Operator {
  /// Whether the operator multiplies its only live operand by constants that are not negative, and whether it adds something that
  /// is not 0; nil if it does something else.
  fileprivate func affine(in graph: Graph, _ x: Node.ID, of node: Node) -> (isPositive: Bool, shifts: Bool)? {
    /// What is known of the elements of the other operand; of constants that are computed, nothing.
    func constant(_ holds: (Float) -> Bool) -> Bool {
      guard let other = node.inputs.first(where: { $0 != x }), case .constant(let value) = graph[other].operation else {
        return false
      }
      return value.withUnsafeElements { $0.allSatisfy(holds) }
    }
    switch self {
    case .batchNormalization(let parameters):
      return (parameters.scale.elements.allSatisfy { $0 >= 0 }, parameters.shift.elements.contains { $0 != 0 })
    case .unary(.negate): return (false, false)
    case .add: return (true, !constant { $0 == 0 })
    case .binary(.subtract): return (node.inputs[0] == x, !constant { $0 == 0 })
    case .multiply: return (constant { $0 >= 0 }, false)
    case .binary(.divide): return node.inputs[0] == x ? (constant { $0 >= 0 }, false) : nil
    case .identity, .dropout, .cast(.real): return (true, false)
    default: return nil
    }
  }

  /// Whether the operator only moves values about or joins them.
  fileprivate var movesValues: Bool {
    switch self {
    case .concat, .flatten, .reshape, .squeeze, .unsqueeze, .transpose, .slice, .part, .gather, .pad, .expand: true
    default: false
    }
  }

  /// Whether signs, and positive factors too, move through the operator to a layer before it.
  fileprivate var commutesWithSigns: Bool {
    switch self {
    case .add, .averagePool, .mean, .resize, .binary(.subtract): true
    case .reduce(let reduction): reduction.function == .sum
    default: movesValues
    }
  }
}
