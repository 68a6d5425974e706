extension RulePlan {
  /// What in the plan is known to lead to maps that mislead, a sentence each.
  ///
  /// - Complexity: O(nodes and edges).
  public var warnings: [String] {
    // No class's relevance goes to what makes boxes.
    let beside = network.nodesBesideClasses
    return unmatchedRowWarnings
      + RuleWarning.sentences(
        assignments.filter { !beside.contains($0.site.id) }.flatMap { assignment in
          let (site, rule) = (assignment.site, assignment.rule)
          let own = rule.warnings(at: site, in: self) + assignment.substitutionWarnings
          // A rule that does not know of steps takes values as if there were none.
          guard let steps = site.steps, !(rule is AbsorbRule), !own.contains(where: { $0.topic == .derivativesOfSteps })
          else { return own }
          return own + [
            RuleWarning(
              .steps, steps, ": \(rule) passes relevance on as if values were neither rounded nor wrapped")
          ]
        })
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
}

extension RulePlan.Assignment {
  /// Rows that are optional, and whose rule cannot be used at the node.
  fileprivate var substitutionWarnings: [RuleWarning] {
    passedOver.filter { $0.row.isOptional && $0.row.rule.objection(at: site) == $0.reason }.map { row, reason in
      RuleWarning(
        "\(site.node.name) (\(site.kind)) has rule \(rule), not \(row.rule)", ": \(reason)", oncePer: "\(row)")
    }
  }
}

// Warnings that several rules have.
extension RuleSite {
  /// Even shares above the last map: the explanation cannot tell positions apart.
  var evenShareWarnings: [RuleWarning] {
    guard [.globalAveragePool, .reduceMean].contains(kind) else { return [] }
    return [
      RuleWarning(
        .evenShares,
        "\(node.name) averages whole maps and shares relevance evenly: explanations are blind to position; "
          + "proportional is not")
    ]
  }

  /// Rules for rectified inputs on pixels of both signs.
  func signedPixelWarnings(of rule: some Rule) -> [RuleWarning] {
    guard isFirst, !operandIsNonNegative[0] else { return [] }
    // The preprocessing may leave pixels as they are, or only scale them.
    if let range = operandRange, range.lower.elements.allSatisfy({ $0 >= 0 }) { return [] }
    return [
      RuleWarning(
        .signedPixels,
        "\(node.name) sees pixels of both signs under \(rule): dark pixels count as much as bright "
          + "ones of opposite weight; zB knows their range")
    ]
  }

  /// A node that exchanges what supports a class and what contradicts it, where relevance keeps its sign all the same: no layer next to
  /// it has taken its sign, or it depends on the input.
  func turnedSignWarnings(in plan: RulePlan) -> [RuleWarning] {
    guard !plan.leadsToLayers(id), let turned = turnedSigns else { return [] }
    return [
      RuleWarning(
        .turnedSigns,
        "\(node.name) (\(kind)) \(turned), and no layer before or after it can take the sign: relevance keeps its own "
          + "there, so what contradicts the class may be shown as supporting it, and the reverse")
    ]
  }
}

/// What a rule has to say of a node where it leads to maps that mislead, although it can be used there.
public struct RuleWarning: Hashable, Sendable {
  /// What warnings are about; those of one topic follow one another.
  enum Topic: CaseIterable {
    case evenShares, signedPixels, normalization, derivativesOfSteps, steps, turnedSigns, other

    /// Whether one node is told of, and how many others there are.
    var isToldOnce: Bool { [.normalization, .derivativesOfSteps, .steps].contains(self) }
  }

  let topic: Topic
  let beginning: String
  let rest: String
  /// Warnings of one group are told once.
  let group: String?

  /// A sentence, without a full stop. With a group it is told of one node only: where others have warnings of the same group,
  /// “(and 2 more like it)” follows its beginning.
  public init(_ beginning: String, _ rest: String = "", oncePer group: String? = nil) {
    (topic, self.beginning, self.rest, self.group) = (.other, beginning, rest, group)
  }

  init(_ topic: Topic, _ beginning: String, _ rest: String = "") {
    (self.topic, self.beginning, self.rest) = (topic, beginning, rest)
    group = topic.isToldOnce ? "" : nil
  }

  /// The sentences, topic by topic.
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
