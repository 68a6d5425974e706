import Networks

extension RulePlan {
  /// What in the plan is known to lead to maps that mislead, a sentence each.
  ///
  /// - Complexity: O(nodes and edges).
  public var warnings: [String] {
    unmatchedRowWarnings + evenPoolingWarnings + firstLayerWarnings + batchNormalizationWarnings + integerWarnings
      + signWarnings
  }

  /// Rows that name nodes which do not exist; rows by operator are for networks of all kinds.
  private var unmatchedRowWarnings: [String] {
    table.rows.enumerated().compactMap { index, row in
      guard let name = row.selector.name,
        !network.graph.nodes.contains(where: { ([$0.name] + $0.aliases).contains { $0.matches(glob: name) } })
      else { return nil }
      return "row \(index + 1) of rule table \(table.name) is for nodes named \(name), and there are none"
    }
  }

  /// Even shares above the last map: the explanation cannot tell positions apart.
  private var evenPoolingWarnings: [String] {
    assignments.compactMap { assignment in
      let isEven = assignment.rule is Even || assignment.rule is Flat || assignment.rule is WSquare
      let isGlobal = [.globalAveragePool, .reduceMean].contains(assignment.site.kind)
      guard isEven, isGlobal else { return nil }
      return
        "\(assignment.site.node.name) averages whole maps and shares relevance evenly: explanations are blind to position; "
        + "proportional is not"
    }
  }

  /// Rules for rectified inputs on pixels of both signs.
  private var firstLayerWarnings: [String] {
    let first = network.outermostWeightedNodes(before: network.logits).first
    return assignments.compactMap { assignment -> String? in
      guard first.contains(assignment.site.id), !assignment.site.operandIsNonNegative[0],
        assignment.rule is ZPlus || assignment.rule is AlphaBeta || assignment.rule is Gamma
      else { return nil }
      // The preprocessing may leave pixels as they are, or only scale them.
      if let range = assignment.site.operandRange, range.lower.elements.allSatisfy({ $0 >= 0 }) { return nil }
      return
        "\(assignment.site.node.name) sees pixels of both signs under \(assignment.rule): dark pixels count as much as bright "
        + "ones of opposite weight; zB knows their range"
    }
  }

  /// Values that are rounded to integers, or wrap as integers do: no derivative tells what that takes away.
  private var integerWarnings: [String] {
    guard let analysis = try? network.analysis(forInput: network.exampleInputShape()) else { return [] }
    let stepwise = assignments.filter { analysis.isStepwise($0.site.node) }
    func sentence(_ nodes: [Assignment], _ rest: (Assignment) -> String) -> [String] {
      guard let one = nodes.first else { return [] }
      let kind = analysis[one.site.id].kind.integerType.map { "\($0) integers" } ?? "truth values"
      let others = nodes.count > 1 ? " (and \(nodes.count - 1) more like it)" : ""
      return ["\(one.site.node.name) (\(one.site.kind.rawValue)) makes \(kind)\(others): \(rest(one))"]
    }
    return sentence(stepwise.filter { $0.rule is Gradient }) { _ in
      "its derivative is 0, and no gradient passes through it"
    }
      + sentence(stepwise.filter { !($0.rule is Gradient) }) { assignment in
        "\(assignment.rule) passes relevance on as if values were neither rounded nor wrapped"
      }
  }

  /// Rules that depend on biases, beside a batch normalisation that is passed over.
  private var batchNormalizationWarnings: [String] {
    let passed = assignments.filter { assignment in
      guard assignment.site.kind == .batchNormalization, assignment.rule is Pass,
        let below = self[assignment.site.node.inputs[0]]
      else { return false }
      return below.rule is Epsilon || below.rule is Z || below.rule is Gamma || below.rule is GeneralisedGamma
    }
    guard let one = passed.first, let below = self[one.site.node.inputs[0]] else { return [] }
    let rest = passed.count > 1 ? " (and \(passed.count - 1) more like it)" : ""
    return [
      "\(one.site.node.name) normalises what \(below.site.node.name) gives under \(below.rule), and is passed over\(rest): the rule "
        + "divides by an output that the network never uses; fold batch normalisation into the weights first"
    ]
  }
}
