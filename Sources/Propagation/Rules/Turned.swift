import RelevanceExecution
import RelevanceNetworks

/// A rule as it is for the negated layer: weights and biases have the opposite sign, and so have outputs.
///
/// - Use: the last layer before a single logit that decides between two classes, where the class on its negative side is explained:
///   `−z = (−W)·x − b`.
/// - Definition: that of the rule it is made of, with −W and −b for W and b.
/// - Bias, conservation, reference: those of the rule it is made of.
struct Turned: ContributionRule {
  let base: any ContributionRule

  func contributions(at site: RuleSite) -> [Contributions] {
    base.contributions(at: site).map { group in
      var group = group
      group.terms = group.terms.map { Term($0.input, $0.weights.ofNegated) }
      group.bias = group.bias?.ofNegated
      group.outputs =
        switch group.outputs {
        case .all: .all
        case .positive: .negative
        case .negative: .positive
        }
      return group
    }
  }

  func objection(at site: RuleSite) -> String? { base.objection(at: site) }
  func conserves(at site: RuleSite) -> Bool { base.conserves(at: site) }
  var description: String { "\(base), weights negated" }
}

extension WeightPart {
  /// The part that gives for W what this one gives for −W.
  fileprivate var ofNegated: WeightPart {
    switch self {
    case .scaled(let positive, let negative): .scaled(positive: -negative, negative: -positive)
    case .squared, .ones: self
    }
  }
}

extension RulePlan {
  /// The plan with one node's weights negated; nil if its rule is not one for weights.
  package func negatingWeights(of id: Node.ID) -> RulePlan? {
    guard let rule = self[id]?.rule as? any ContributionRule else { return nil }
    return replacingRules([id: Turned(base: rule)])
  }
}
