/// Rule z, also called LRP-0: relevance is distributed to inputs in proportion to their contributions of either sign.
///
/// - Use: comparison with gradients. Its maps of deep networks are noisy.
/// - Definition: `R_i = Σ_j x_i w_ij / (Σ_i' x_i' w_i'j + b_j) · R_j`; 0 where the denominator is 0.
/// - Its parameters: `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact except for the shares of biases. With biases absorbed, it equals gradient × input on rectifier
///   networks.
/// - Reference: *Bach15* eq. 56; LRP-0 in *Montavon19* §10.2.1.
public struct ZRule: ContributionRule, NamedRule {
  public static let name = "z"
  public static let parameters: [Parameter<Self>] = [.init("bias", \.bias)]

  /// The treatment of biases.
  public private(set) var bias: BiasTreatment

  public init() { bias = .absorbed }
  /// Creates the rule.
  public init(bias: BiasTreatment) { self.bias = bias }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.operand, .all)], bias: bias, as: .all, stabilizer: .signed(0))]
  }
}
