import Propagation

extension Method {
  /// What is known to mislead when this method explains under a plan, a sentence each; see also `RulePlan.warnings`.
  ///
  /// - Complexity: O(nodes and edges).
  public func warnings(under plan: RulePlan) -> [String] {
    switch self {
    case .clrp1, .sglrp: headWarnings(plan)
    default: []
    }
  }

  /// Seeds at all classes, above a rule that divides by logits, of which some are negative: all signs of such a class turn.
  private func headWarnings(_ plan: RulePlan) -> [String] {
    let network = plan.network
    let last = network.outermostWeightedNodes(before: network.logits).last
    return plan.assignments.filter { last.contains($0.site.id) }.compactMap { assignment in
      let rule = assignment.rule
      // Behind a rectifier nothing arrives where they are negative.
      guard !assignment.site.isRectified, rule is Z || rule is Epsilon || rule is Gamma || rule is GeneralisedGamma
      else { return nil }
      return
        "\(name) starts at all classes, and \(assignment.site.node.name) divides by logits under \(rule): what speaks against a class "
        + "with a negative logit is taken for what speaks for it; zPlus there, or clrp2, does not mix them up"
    }
  }
}
