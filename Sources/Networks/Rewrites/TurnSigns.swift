/// Moves negative constant factors into what makes the values they multiply: a batch normalization with a negative scale gets a
/// positive one and the convolution before it the negated weights, Neg disappears, `c − x` becomes `c + (−x)`.
///
/// Relevance passes over such nodes, and rules look at the signs of weights: a factor of negative sign between the two would
/// give what supports a class to what contradicts it. As after folding, the layer's own weights have the sign. Only signs
/// move, so results keep every bit. A sign moves through sums, joins, averages and whatever rearranges values, as far as their
/// values have no other user; a rectifier, a maximum or an end of the graph keeps it where it is.
struct TurnSigns: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    // What makes probabilities of the logits is no part of what is explained, and known by its form.
    let logits = Ending(of: graph).logits
    let candidates = graph.ids.filter { $0 <= logits && graph[$0].operation.mayTurnSigns }
    guard !candidates.isEmpty, let inferred = try? graph.inferred(forInput: graph.fittingInputShape()) else {
      return graph
    }
    var turning = SignTurning(graph, inferred)
    // From the output down, since what takes a sign over may pass it on.
    for id in candidates.reversed() { turning.turn(id) }
    return turning.drafts.isEmpty ? graph : try rebuilt(turning)
  }

  private func rebuilt(_ turning: SignTurning) throws -> Graph {
    let graph = turning.graph
    var names = Set(graph.nodes.map(\.name))
    var editor = GraphEditor(graph)
    for id in graph.ids {
      let turned = turning.turned[id].map {
        TurnedValues(names: [graph[id].name] + graph[id].aliases, signs: $0.signs, factor: graph[$0.factor].name)
      }
      guard let draft = turning.drafts[id] else {
        editor.keep(id, turned: turned)
        continue
      }
      if draft.operation is Identity, case .node(let operand)? = draft.operands.first {
        editor.drop(id, for: operand)
        continue
      }
      let operands = draft.operands.map { operand -> Node.ID in
        switch operand {
        case .node(let id): return editor.current(id)
        case .value(let value):
          var name = "\(graph[id].name).constant"
          while !names.insert(name).inserted { name += "_" }
          return editor.add(name, Constant(value))
        }
      }
      editor.keep(id, as: draft.operation, operands: operands, turned: turned)
    }
    return try editor.edited()
  }
}

extension Operator {
  /// Whether the operator multiplies an operand by something that may be constant and negative, or takes up such a factor.
  fileprivate var mayTurnSigns: Bool {
    self is BatchNormalization || self is Negate || self is Multiply || self is Divide || self is Subtract
  }
}
