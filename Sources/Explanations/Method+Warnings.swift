import Propagation

extension Method {
  /// What is known to mislead when this method explains under a plan, a sentence each; see also `RulePlan.warnings`.
  ///
  /// - Complexity: O(nodes and edges).
  public func warnings(under plan: RulePlan) -> [String] {
    switch self {
    case .clrp1, .sglrp: headWarnings(plan)
    case .guidedBackprop, .deconvNet, .guidedGradCAM: rectifierWarnings(plan)
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

  /// Methods that change rectifiers only, on networks that have other activations.
  private func rectifierWarnings(_ plan: RulePlan) -> [String] {
    let (rectifiers, others) = plan.activations()
    guard rectifiers.isEmpty || !others.isEmpty else { return [] }
    let found = others.first.map { first in
      let name = "\(first.name) (\(first.operation.kind.rawValue))"
      return others.count == 1
        ? "1 activation of another kind, \(name)"
        : "\(others.count) activations of other kinds, the first of them \(name)"
    }
    let effect =
      rectifiers.isEmpty
      ? "the network has no rectifier\(found.map { ", but \($0)" } ?? ""): what it gives is the plain gradient's"
      : "the network has \(found ?? ""): they keep their derivative and let negative values pass"
    return [
      "\(name) changes the gradient at rectifiers only, and \(effect); use gradient-x-input, or relevance such as lrp"
    ]
  }
}
