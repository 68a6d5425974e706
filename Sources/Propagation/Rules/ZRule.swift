/// Rule z, also called LRP-0: relevance goes to inputs in proportion to their contributions, of either sign.
///
/// - Use: comparison with gradients; on deep networks its maps are noisy.
/// - Definition: `R_i = Σ_j x_i w_ij / (Σ_i' x_i' w_i'j + b_j) · R_j`; nothing where the denominator is 0.
/// - Its parameters: `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the biases' shares. With them, on rectifier networks, gradient × input.
/// - Reference: *Bach15* eq. 56; LRP-0 in *Montavon19* §10.2.1.
public struct ZRule: ContributionRule, NamedRule {
  public static let name = "z"
  public static let parameters: [Parameter<Self>] = [.init("bias", \.bias)]

  /// What happens to biases.
  public private(set) var bias: BiasTreatment

  public init() { bias = .absorbed }
  /// Makes the rule.
  public init(bias: BiasTreatment) { self.bias = bias }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.operand, .all)], bias: bias, as: .all, stabilizer: .signed(0))]
  }
}
