import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

/// The end of a network as one linear map, from the input of the last weighted layer before a target to the target.
///
/// Rectifiers in this part are ignored, as in relevance propagation.
struct LinearHead {
  /// The nodes from the target to the weighted layer.
  let nodes: [Node.ID]
  /// The node whose output is the input of the weighted layer.
  let input: Node.ID

  var weighted: Node.ID { nodes[nodes.count - 1] }

  /// - Throws: `RelevanceKitError` if a nonlinear operator is between the weighted layer and the target.
  init(from target: Node.ID, in graph: Graph) throws {
    var live = Set<Node.ID>()
    for id in graph.ids where graph[id].operation is Input || graph[id].inputs.contains(where: live.contains) {
      live.insert(id)
    }
    var nodes: [Node.ID] = []
    var id = target
    while true {
      nodes.append(id)
      let node = graph[id]
      if node.operation.isWeighted { break }
      let operands = node.inputs.indices.filter { live.contains(node.inputs[$0]) }
      guard operands.count == 1, node.operation.passes(operand: operands[0]) else {
        throw ExplanationError.noWeightedHead(node: node.name, operator: node.kind.name)
      }
      id = node.inputs[operands[0]]
    }
    self.nodes = nodes
    input = graph[id].inputs[0]
  }

  /// A plan in which relevance is the derivative of the target with respect to the values of the head.
  func derivative(_ plan: RulePlan) -> RulePlan {
    let graph = plan.network.graph
    return plan.replacingRules(
      Dictionary(
        uniqueKeysWithValues: nodes.map { id -> (Node.ID, any Rule) in
          (id, graph[id].operation.kind == .relu ? PassRule() : GradientRule())
        }))
  }

  /// A plan in which only the weights of the last layer are negated: relevance is distributed by `x ⊙ w⁻ / Σ x ⊙ w⁻`.
  func negated(_ plan: RulePlan) -> RulePlan {
    plan.replacingRules([weighted: ZPlusRule()], includesOffsets: true).negatingWeights(of: weighted) ?? plan
  }
}

extension RelevanceNetworks.Operator {
  /// Whether the output is linear in an operand while the other operands are constant. Rectifiers and rounding count as
  /// linear.
  fileprivate func passes(operand: Int) -> Bool {
    switch kind {
    case .relu, .batchNormalization, .dropout, .quantizeLinear, .dequantizeLinear, .mul: true
    case .div: operand == 0
    default: isLinear
    }
  }
}

extension Seeds {
  /// The seeds of `R − λ·R_dual`, where the weights into the target are negated for the dual. Both start with the same
  /// scores. The dual is added at the input of the target's head, the only part of the plan in which it differs.
  ///
  /// The weights are the effective weights of the target: if a batch normalization after the layer inverts the sign, R
  /// uses the negated weights of the layer, and the dual uses the weights themselves.
  ///
  /// `kind` selects the weights to negate, `strength` is λ, and `scores` returns the start values of a target's
  /// elements.
  init(
    contrasting targets: [Target], _ kind: CLRP2.Head = .composite, strength: Float, by method: some AttributionMethod,
    in trace: Trace, scores: (TargetSeed) throws -> [Float]
  ) throws {
    self.init(targets: targets.count, in: trace)
    let (graph, batch) = (trace.plan.network.graph, trace.batch)
    let sites = try targets.map { try Site(of: $0, in: trace) }
    let scores = try sites.enumerated().map { number, site in
      try (0..<batch).map { try scores(TargetSeed(site, number, $0, in: trace)) }
    }
    var factors = sites.map { _ in [Float](repeating: 1, count: batch) }
    if sites.contains(where: { if case .cosine = $0.kind { true } else { false } }) {
      throw ExplanationError.needsUnit(method: method.name)
    }
    // The boxes of the items in a batch can be at different nodes.
    for node in Set(sites.flatMap(\.nodes)).sorted() {
      let members = sites.indices.filter { sites[$0].nodes.contains(node) }
      let head = try LinearHead(from: node, in: graph)
      let (own, count) = (members.map { sites[$0] }, members.count)
      let derivative = try trace.propagator(for: method.table, variant: "derivative of \(node)", head.derivative)
      var ones = Seeds(targets: count, in: trace)
      ones.add(own, in: trace) { $0.add($0.signs) }
      // The derivative of the part between the weighted layer and the targets.
      let slopes = derivative.relevance(arrivingAt: head.weighted, from: ones.tensors, count: count)
      let x = trace.forward.itemByItem(trace.forward.value(of: head.input), at: head.input)
      // A channel at several positions represents several targets, each with its own dual.
      let isComposite = kind == .composite && own.allSatisfy(\.isSingle)
      let arriving: Tensor
      if isComposite {
        arriving = derivative.relevance(arrivingAt: head.input, from: [head.weighted: slopes], count: count)
      } else {
        let negated = try trace.propagator(for: method.table, variant: "negated head of \(node)", head.negated)
        var starts = Seeds(targets: count, in: trace)
        starts.add(own, in: trace) { $0.add(scores[members[$0.number]][$0.item]) }
        arriving = negated.relevance(arrivingAt: head.input, from: starts.tensors, count: count)
      }
      for (place, number) in members.enumerated() {
        let items = (0..<batch).filter { sites[number].nodes[$0] == node }
        let isTurned = items.reduce(0) { $0 + slopes.part($1 * count + place, of: batch * count).sum() } < 0
        for item in items {
          var dual = arriving.part(item * count + place, of: batch * count)
          if isComposite {
            // S · x ⊙ w⁻ / Σ x ⊙ w⁻, where w are the weights of the whole head into the target with the inverted signs
            // restored.
            let sign: Float = isTurned ? -1 : 1
            let contributions = x.part(item, of: batch).combined(with: dual) { min(sign * $0 * $1, 0) }
            let sum = contributions.sum()
            let scale = sum == 0 ? 0 : Float(Double(scores[number][item][0]) / sum)
            dual = contributions.map { $0 * scale }
          }
          let factor = isTurned ? 1 : -strength
          add(
            zip(0..., dual.elements.map { factor * $0 }), at: head.input, of: dual.count, item * sites.count + number)
          if isTurned { factors[number][item] = -strength }
        }
      }
    }
    add(sites, in: trace) { start in
      start.add(scores[start.number][start.item].map { $0 * factors[start.number][start.item] })
    }
  }
}
