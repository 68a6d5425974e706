import RelevanceExecution

/// Rule γ: rule z with positive weights favored.
///
/// - Use: lower convolutions, behind rectifiers.
/// - Definition: `R_i = Σ_j x_i (w_ij + γ w⁺_ij) / (Σ_i' x_i' (w_i'j + γ w⁺_i'j) + b_j + γ b⁺_j) · R_j`; nothing where the denominator
///   is 0. γ = 0 is rule z, γ → ∞ tends to rule z⁺.
/// - Its parameters: `gamma` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the biases' shares.
/// - Reference: *Montavon19* §10.2.1. For inputs of both signs see `GeneralizedGammaRule`.
public struct GammaRule: ContributionRule, NamedRule {
  public static let name = "gamma"
  public static let parameters: [Parameter<Self>] = [.init("gamma", \.gamma, atLeast: 0), .init("bias", \.bias)]

  /// How much positive weights are favored.
  public private(set) var gamma: Float
  /// What happens to biases.
  public private(set) var bias: BiasTreatment

  public init() { self.init(gamma: 0.25) }
  /// Makes the rule; `gamma` must not be negative, or a table with the rule cannot be resolved.
  public init(gamma: Float = 0.25, bias: BiasTreatment = .absorbed) {
    (self.gamma, self.bias) = (gamma, bias)
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    let favored = WeightPart.scaled(positive: 1 + gamma, negative: 1)
    return [Contributions([Term(.operand, favored)], bias: bias, as: favored, stabilizer: .signed(0))]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.signedPixelWarnings(of: self) }
}
