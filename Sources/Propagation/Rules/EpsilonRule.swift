/// Rule ε: rule z with a stabilizer that absorbs weak and contradictory contributions.
///
/// - Use: fully connected layers. On all layers, it gives a smoother gradient × input.
/// - Definition: `R_i = Σ_j x_i w_ij / (z_j + ε·sign(z_j)) · R_j` with `z_j = Σ_i' x_i' w_i'j + b_j`; 0 where `z_j =
///   0`.
/// - Its parameters: `epsilon` ≥ 0, in units of the layer's output; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact except for the shares of the stabilizer and of biases.
/// - Reference: *Bach15* eq. 58; *Montavon19* §10.2.1.
public struct EpsilonRule: ContributionRule, NamedRule {
  public static let name = "epsilon"
  public static let parameters: [Parameter<Self>] = [.init("epsilon", \.epsilon, atLeast: 0), .init("bias", \.bias)]

  /// The stabilizer ε.
  public private(set) var epsilon: Float
  /// The treatment of biases.
  public private(set) var bias: BiasTreatment

  public init() { self.init(epsilon: 1e-6) }
  /// Creates the rule. A table with the rule can be resolved only if `epsilon` is not negative.
  public init(epsilon: Float = 1e-6, bias: BiasTreatment = .absorbed) {
    (self.epsilon, self.bias) = (epsilon, bias)
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.operand, .all)], bias: bias, as: .all, stabilizer: .signed(epsilon))]
  }
}
