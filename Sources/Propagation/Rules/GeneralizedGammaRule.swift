import RelevanceExecution

/// Generalized rule γ: contributions of the output's own sign are favored, whatever the signs of inputs.
///
/// - Use: layers whose inputs can be negative, where rule γ favors the wrong contributions.
/// - Definition: with `c_ij = x_i w_ij`, for outputs `z_j = Σ_i c_ij + b_j ≥ 0`:
///   `R_i = Σ_j (c_ij + γ c⁺_ij) / (z_j + γ (Σ_i' c⁺_i'j + b⁺_j)) · R_j`, and with `c⁻`, `b⁻` for outputs below 0. Behind a rectifier the
///   same as rule γ.
/// - Its parameters: `gamma` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the biases' shares.
/// - Reference: *Andeol21* appendix; Zennit's rule `Gamma`.
public struct GeneralizedGammaRule: ContributionRule, NamedRule {
  public static let name = "generalizedGamma"
  public static let parameters: [Parameter<Self>] = [.init("gamma", \.gamma, atLeast: 0), .init("bias", \.bias)]

  /// How much contributions of the output's sign are favored.
  public private(set) var gamma: Float
  /// What happens to biases.
  public private(set) var bias: BiasTreatment

  public init() { self.init(gamma: 0.25) }
  /// Makes the rule; `gamma` must not be negative, or a table with the rule cannot be resolved.
  public init(gamma: Float = 0.25, bias: BiasTreatment = .absorbed) {
    (self.gamma, self.bias) = (gamma, bias)
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    let favorsPositive = WeightPart.scaled(positive: 1 + gamma, negative: 1)
    let favorsNegative = WeightPart.scaled(positive: 1, negative: 1 + gamma)
    return [
      Contributions(
        [Term(.positiveOperand, favorsPositive), Term(.negativeOperand, favorsNegative)], bias: bias,
        as: favorsPositive, stabilizer: .signed(0), outputs: .positive),
      Contributions(
        [Term(.positiveOperand, favorsNegative), Term(.negativeOperand, favorsPositive)], bias: bias,
        as: favorsNegative, stabilizer: .signed(0), outputs: .negative),
    ]
  }
}
