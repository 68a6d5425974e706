import RelevanceExecution

/// Generalized rule γ: contributions with the sign of the output are increased, regardless of the signs of the inputs.
///
/// - Use: layers whose inputs can be negative, where rule γ increases the wrong contributions.
/// - Definition: with `c_ij = x_i w_ij`, for outputs `z_j = Σ_i c_ij + b_j ≥ 0`:
///   `R_i = Σ_j (c_ij + γ c⁺_ij) / (z_j + γ (Σ_i' c⁺_i'j + b⁺_j)) · R_j`, and with `c⁻`, `b⁻` for outputs below 0.
///   After a rectifier it is the same as rule γ.
/// - Its parameters: `gamma` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact except for the shares of biases.
/// - Reference: *Andeol21* appendix; Zennit's rule `Gamma`.
public struct GeneralizedGammaRule: ContributionRule, NamedRule {
  public static let name = "generalizedGamma"
  public static let parameters: [Parameter<Self>] = [.init("gamma", \.gamma, atLeast: 0), .init("bias", \.bias)]

  /// The factor γ that increases contributions with the sign of the output.
  public private(set) var gamma: Float
  /// The treatment of biases.
  public private(set) var bias: BiasTreatment

  public init() { self.init(gamma: 0.25) }
  /// Creates the rule. A table with the rule can be resolved only if `gamma` is not negative.
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
