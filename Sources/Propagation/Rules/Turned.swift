import RelevanceExecution
import RelevanceNetworks

/// The rule of the negated layer: weights, biases and outputs have the opposite sign.
///
/// - Use: the last layer before a single logit that decides between two classes, if the class on the negative side is
///   explained: `−z = (−W)·x − b`.
/// - Definition: the definition of the base rule, with −W and −b instead of W and b.
/// - Bias, conservation, reference: those of the base rule.
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
  /// The part of W that equals this part of −W.
  fileprivate var ofNegated: WeightPart {
    switch self {
    case .scaled(let positive, let negative): .scaled(positive: -negative, negative: -positive)
    case .squared, .ones: self
    }
  }
}

extension RulePlan {
  /// The plan with the weights of one node negated; nil if the node's rule is not a contribution rule.
  package func negatingWeights(of id: Node.ID) -> RulePlan? {
    guard let rule = self[id]?.rule as? any ContributionRule else { return nil }
    return replacingRules([id: Turned(base: rule)])
  }
}
