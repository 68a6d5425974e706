/// Moves negative constant factors into the nodes that compute the multiplied values. A batch normalization with a
/// negative scale gets a positive scale and the convolution before it negated weights, Neg disappears, and `c − x`
/// becomes `c + (−x)`.
///
/// Relevance passes through such nodes unchanged, while rules depend on the signs of weights. A negative factor between
/// two layers would therefore credit evidence for a class to pixels that contradict it. After this rewrite, as after
/// folding, the layer's own weights have the sign. Only signs move, so results are bitwise equal. A sign moves through
/// sums, joins, averages and rearrangements of values without other users. A rectifier, a maximum or the end of the
/// graph stops it.
struct TurnSigns: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    // The conversion of logits to probabilities is not explained and is recognized by its form.
    let logits = Ending(of: graph).logits
    let candidates = graph.ids.filter { $0 <= logits && graph[$0].operation.mayTurnSigns }
    guard !candidates.isEmpty, let inferred = try? graph.inferred(forInput: graph.fittingInputShape()) else {
      return graph
    }
    var turning = SignTurning(graph, inferred)
    // From the output to the input, because a node that takes over a sign may pass it on.
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
  /// Whether the operator multiplies an operand by a possibly negative constant, or can take over such a factor.
  fileprivate var mayTurnSigns: Bool {
    self is BatchNormalization || self is Negate || self is Multiply || self is Divide || self is Subtract
  }
}
