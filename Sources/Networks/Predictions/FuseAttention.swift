import RelevanceTensors

/// Joins the two matrix products of attention and the softmax between them, so that the weights of a few tokens at a
/// time stay in cache. T. Dao et al., “FlashAttention”, NeurIPS 2022, without the running maximum: a row of weights fits.
struct FuseAttention: PredictionPass {
  func apply(to graph: PredictionGraph, _ inferred: [Inferred]) throws -> PredictionGraph {
    let (nodes, consumers) = (graph.graph, graph.graph.consumers)
    let results = Set(graph.results)
    /// The node's operand if no other node uses it.
    func sole(_ id: Node.ID) -> Node.ID? {
      let operand = nodes[id].inputs[0]
      return consumers[operand.index].count == 1 && !results.contains(operand) ? operand : nil
    }
    var fused: [Node.ID: (attention: FusedAttention, operands: [Node.ID])] = [:]
    var dropped = Set<Node.ID>()
    for id in nodes.ids where nodes[id].operation is MatrixProduct {
      guard let softmax = sole(id), let operation = nodes[softmax].operation as? Softmax,
        operation.isAlongLastAxis(of: inferred[softmax.index].shape), var product = sole(softmax)
      else { continue }
      var between = [softmax]
      var scale = FusedAttention.Scale.none
      if let own = FusedAttention.Scale(nodes[product], inferred), let operand = sole(product) {
        between.append(product)
        (scale, product) = (own, operand)
      }
      // The second product of one attention can be the first of the next; it is used once.
      guard nodes[product].operation is MatrixProduct, fused[product] == nil else { continue }
      let operands = nodes[product].inputs + [nodes[id].inputs[1]]
      let attention = FusedAttention(scale: scale)
      guard operands.allSatisfy({ inferred[$0.index].shape.rank > 1 && inferred[$0.index].literal == nil }),
        let extents = try? attention.extents(operands.map { inferred[$0.index].shape }),
        max(extents.scores.depth, extents.result.depth) <= FusedAttention.deepest
      else { continue }
      fused[id] = (attention, operands)
      dropped.formUnion(between + [product])
    }
    guard !fused.isEmpty else { return graph }
    var editor = PredictionGraphEditor(graph)
    for id in nodes.ids where !dropped.contains(id) {
      if let (attention, operands) = fused[id] {
        editor.keep(id, as: attention, operands: operands.map(editor.current))
      } else {
        editor.keep(id)
      }
    }
    return try editor.edited()
  }
}

extension Softmax {
  fileprivate func isAlongLastAxis(of shape: TensorShape) -> Bool {
    !isLogarithm && (axis == -1 || axis == shape.rank - 1)
  }
}

/// `softmax(scale(Q·K))·V` along the last axes of three operands: … × rows × depth, … × depth × keys, and … × keys ×
/// columns. The other axes broadcast as in matrix products.
package struct FusedAttention: Operator {
  /// What is done to the scores before the softmax.
  package enum Scale: Sendable {
    case none
    case times(Float)
    case over(Float)

    /// The factor or divisor of a node; nil if it does not only scale its first operand.
    init?(_ node: Node, _ inferred: [Inferred]) {
      guard node.inputs.count == 2, case .floats(let number)? = inferred[node.inputs[1].index].literal,
        number.count == 1, number.shape.rank <= inferred[node.inputs[0].index].shape.rank
      else { return nil }
      switch node.operation {
      case is Multiply: self = .times(number.elements[0])
      case is Divide: self = .over(number.elements[0])
      default: return nil
      }
    }
  }

  package let scale: Scale
  /// The largest depth and number of keys for which both products are computed in one piece.
  package static let deepest = 640

  package var kind: OperatorKind { .batchMatMul }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try extents(operands.map(\.shape)).result.output
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed(Set(0..<(try firstShape(operands).rank))) }

  /// The extents of both products.
  ///
  /// - Throws: `Misfit` if the operands do not fit.
  package func extents(_ operands: [TensorShape]) throws -> (scores: MatrixExtents, result: MatrixExtents) {
    guard operands.count == 3 else { throw Misfit("expected 3 operands, found \(operands.count)") }
    let scores = try MatrixExtents(operands[0], operands[1])
    return (scores, try MatrixExtents(scores.output, operands[2]))
  }
}
