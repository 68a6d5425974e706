/// Rule ε: rule z with a stabilizer that absorbs weak and contradictory contributions.
///
/// - Use: fully connected layers; everywhere, for a smoother gradient × input.
/// - Definition: `R_i = Σ_j x_i w_ij / (z_j + ε·sign(z_j)) · R_j` with `z_j = Σ_i' x_i' w_i'j + b_j`; nothing where `z_j = 0`.
/// - Its parameters: `epsilon` ≥ 0, in units of the layer's output; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the shares of the stabilizer and of the biases.
/// - Reference: *Bach15* eq. 58; *Montavon19* §10.2.1.
public struct EpsilonRule: ContributionRule, NamedRule {
  public static let name = "epsilon"
  public static let parameters: [Parameter<Self>] = [.init("epsilon", \.epsilon, atLeast: 0), .init("bias", \.bias)]

  /// The stabilizer ε.
  public private(set) var epsilon: Float
  /// What happens to biases.
  public private(set) var bias: BiasTreatment

  public init() { self.init(epsilon: 1e-6) }
  /// Makes the rule; `epsilon` must not be negative, or a table with the rule cannot be resolved.
  public init(epsilon: Float = 1e-6, bias: BiasTreatment = .absorbed) {
    (self.epsilon, self.bias) = (epsilon, bias)
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.operand, .all)], bias: bias, as: .all, stabilizer: .signed(epsilon))]
  }
}
