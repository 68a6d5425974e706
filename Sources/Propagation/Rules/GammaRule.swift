import RelevanceExecution

/// Rule γ: rule z with larger positive weights.
///
/// - Use: lower convolutions after rectifiers.
/// - Definition: `R_i = Σ_j x_i (w_ij + γ w⁺_ij) / (Σ_i' x_i' (w_i'j + γ w⁺_i'j) + b_j + γ b⁺_j) · R_j`; 0 where the
///   denominator is 0. With γ = 0 it is rule z; for γ → ∞ it approaches rule z⁺.
/// - Its parameters: `gamma` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact except for the shares of biases.
/// - Reference: *Montavon19* §10.2.1. For inputs of both signs see `GeneralizedGammaRule`.
public struct GammaRule: ContributionRule, NamedRule {
  public static let name = "gamma"
  public static let parameters: [Parameter<Self>] = [.init("gamma", \.gamma, atLeast: 0), .init("bias", \.bias)]

  /// The factor γ that increases positive weights.
  public private(set) var gamma: Float
  /// The treatment of biases.
  public private(set) var bias: BiasTreatment

  public init() { self.init(gamma: 0.25) }
  /// Creates the rule. A table with the rule can be resolved only if `gamma` is not negative.
  public init(gamma: Float = 0.25, bias: BiasTreatment = .absorbed) {
    (self.gamma, self.bias) = (gamma, bias)
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    let favored = WeightPart.scaled(positive: 1 + gamma, negative: 1)
    return [Contributions([Term(.operand, favored)], bias: bias, as: favored, stabilizer: .signed(0))]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.signedPixelWarnings(of: self) }
}
