import RelevanceKit

/// Distributes relevance to the inputs in proportion to the magnitudes of their contributions:
/// `R_i = Σ_j x⁺_i |w_ij| / Σ_i' x⁺_i' |w_i'j| · R_j`.
struct Absolute: ContributionRule, NamedRule {
  static let name = "absolute"
  static let parameters: [Parameter<Self>] = [.init("stabilizer", \.stabilizer, atLeast: 0)]
  var stabilizer: Float = 1e-9

  func contributions(at site: RuleSite) -> [Contributions] {
    let size = WeightPart.scaled(positive: 1, negative: -1)
    return [Contributions([Term(.positiveOperand, size)], stabilizer: .positive(stabilizer))]
  }
}
