import Execution

/// Rule γ: rule z with positive weights favored.
///
/// - Use: lower convolutions, behind rectifiers.
/// - Definition: `R_i = Σ_j x_i (w_ij + γ w⁺_ij) / (Σ_i' x_i' (w_i'j + γ w⁺_i'j) + b_j + γ b⁺_j) · R_j`; nothing where the denominator
///   is 0. γ = 0 is rule z, γ → ∞ tends to rule z⁺.
/// - Its parameters: `gamma` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the biases' shares.
/// - Reference: *Montavon19* §10.2.1. For inputs of both signs see `GeneralizedGammaRule`.
public struct GammaRule: ContributionRule {
  /// How much positive weights are favored.
  public let gamma: Float
  /// What happens to biases.
  public let bias: BiasTreatment

  /// Makes the rule; `gamma` must not be negative.
  public init(gamma: Float = 0.25, bias: BiasTreatment = .absorbed) {
    precondition(gamma >= 0 && gamma.isFinite, "gamma is \(gamma)")
    self.gamma = gamma
    self.bias = bias
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    let favored = WeightPart.scaled(positive: 1 + gamma, negative: 1)
    return [Contributions([Term(.operand, favored)], bias: bias, as: favored, stabilizer: .signed(0))]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.signedPixelWarnings(of: self) }
}

extension GammaRule: NamedRule {
  public static let name = "gamma"
  public static let parameters = [
    Parameter.number("gamma", 0.25, atLeast: 0), .choice("bias", BiasTreatment.absorbed),
  ]
  public init(_ arguments: Arguments) throws {
    self.init(gamma: arguments.number("gamma"), bias: arguments.choice("bias"))
  }
  public var arguments: [String: Arguments.Value] { ["gamma": .number(gamma), "bias": .word(bias.rawValue)] }
}
