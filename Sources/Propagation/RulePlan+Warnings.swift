extension RulePlan {
  /// The known reasons why maps of this plan may mislead, one sentence each.
  ///
  /// - Complexity: O(nodes and edges).
  public var warnings: [String] {
    // Nodes that compute boxes receive no relevance from a class.
    let beside = network.nodesBesideClasses
    return unmatchedRowWarnings
      + RuleWarning.sentences(
        assignments.filter { !beside.contains($0.site.id) }.flatMap { assignment in
          let (site, rule) = (assignment.site, assignment.rule)
          let own = rule.warnings(at: site, in: self) + assignment.substitutionWarnings
          // A rule without support for integer steps treats values as if there were none.
          guard let steps = site.steps, !(rule is AbsorbRule), !own.contains(where: { $0.topic == .derivativesOfSteps })
          else { return own }
          return own + [
            RuleWarning(
              .steps, steps, ": \(rule) propagates relevance as if values were neither rounded nor wrapped")
          ]
        })
  }

  /// Rows that name nodes that do not exist. Rows that select by operator are meant for many networks and cause no
  /// warning.
  private var unmatchedRowWarnings: [String] {
    table.rows.enumerated().compactMap { index, row in
      guard let name = row.selector.name,
        !network.graph.nodes.contains(where: { ([$0.name] + $0.aliases).contains { $0.matches(glob: name) } })
      else { return nil }
      return "row \(index + 1) of rule table \(table.name) selects nodes named \(name), but the network has none"
    }
  }
}

extension RulePlan.Assignment {
  /// Optional rows whose rule cannot be applied to the node.
  fileprivate var substitutionWarnings: [RuleWarning] {
    passedOver.filter { $0.row.isOptional && $0.row.rule.objection(at: site) == $0.reason }.map { row, reason in
      RuleWarning(
        "\(site.node.name) (\(site.kind)) has rule \(rule), not \(row.rule)", ": \(reason)", oncePer: "\(row)")
    }
  }
}

// Warnings that several rules share.
extension RuleSite {
  /// Equal shares after the last feature map: the explanation does not depend on position.
  var evenShareWarnings: [RuleWarning] {
    guard [.globalAveragePool, .reduceMean].contains(kind) else { return [] }
    return [
      RuleWarning(
        .evenShares,
        "\(node.name) averages whole maps with equal shares: explanations lose position information; "
          + "rule proportional preserves it")
    ]
  }

  /// Rules for rectified inputs, applied to pixels of both signs.
  func signedPixelWarnings(of rule: some Rule) -> [RuleWarning] {
    guard isFirst, !operandIsNonNegative[0] else { return [] }
    // Preprocessing may leave pixels unchanged or only scale them.
    if let range = operandRange, range.lower.elements.allSatisfy({ $0 >= 0 }) { return [] }
    return [
      RuleWarning(
        .signedPixels,
        "\(node.name) receives pixels of both signs under \(rule): dark pixels count as much as bright "
          + "pixels with the opposite weight; use rule zB, which accounts for the pixel range")
    ]
  }

  /// A node that inverts signs although relevance keeps its sign there, because no adjacent layer can take over the
  /// sign, or because the sign depends on the input.
  func turnedSignWarnings(in plan: RulePlan) -> [RuleWarning] {
    guard !plan.leadsToLayers(id), let turned = turnedSigns else { return [] }
    return [
      RuleWarning(
        .turnedSigns,
        "\(node.name) (\(kind)) \(turned), and no layer before or after it can take over the sign: relevance "
          + "keeps its sign there, so evidence against the class may appear as evidence for it, and vice versa")
    ]
  }
}

/// A warning that a rule may produce misleading maps at a node, although it can be applied there.
public struct RuleWarning: Hashable, Sendable {
  /// The subjects of warnings; warnings with the same subject are listed together.
  enum Topic: CaseIterable {
    case evenShares, signedPixels, normalization, derivativesOfSteps, steps, turnedSigns, other

    /// Whether only one node is named, followed by the number of other nodes.
    var isListedOnce: Bool { [.normalization, .derivativesOfSteps, .steps].contains(self) }
  }

  let topic: Topic
  let beginning: String
  let rest: String
  /// Only the first warning of a group is printed.
  let group: String?

  /// Creates a warning from a sentence without a period. Of the warnings in a group, only the first is printed; “(and 2
  /// more like it)” follows its beginning.
  public init(_ beginning: String, _ rest: String = "", oncePer group: String? = nil) {
    (topic, self.beginning, self.rest, self.group) = (.other, beginning, rest, group)
  }

  init(_ topic: Topic, _ beginning: String, _ rest: String = "") {
    (self.topic, self.beginning, self.rest) = (topic, beginning, rest)
    group = topic.isListedOnce ? "" : nil
  }

  /// The sentences, ordered by topic.
  static func sentences(_ warnings: [RuleWarning]) -> [String] {
    Topic.allCases.flatMap { topic in
      let all = warnings.filter { $0.topic == topic }
      return all.enumerated().compactMap { place, one in
        guard let group = one.group else { return one.beginning + one.rest }
        let alike = all.indices.filter { all[$0].group == group }
        guard alike.first == place else { return nil }
        return one.beginning + (alike.count > 1 ? " (and \(alike.count - 1) more like it)" : "") + one.rest
      }
    }
  }
}
