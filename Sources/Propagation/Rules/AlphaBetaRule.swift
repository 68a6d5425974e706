/// Rule αβ: positive and negative contributions share out relevance separately.
///
/// - Use: weighted layers; α = 2, β = 1 shows what speaks against, α = 1, β = 0 is rule z⁺.
/// - Definition: `R_i = Σ_j (α c⁺_ij / (Σ_i' c⁺_i'j + b⁺_j) − β c⁻_ij / (Σ_i' c⁻_i'j + b⁻_j)) · R_j` with `c_ij = x_i w_ij`; nothing for a
///   part whose denominator is 0.
/// - Its parameters: `alpha` − `beta` = 1, `beta` ≥ 0, of which one can be left out; `bias`. The stabilizer is that of rule z⁺.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the shares of the biases and outputs that have contributions of one sign only.
/// - Reference: *Bach15* eq. 60.
public struct AlphaBetaRule: ContributionRule {
  /// The factor of positive contributions.
  public let alpha: Float
  /// The factor of negative contributions.
  public let beta: Float
  /// What happens to biases.
  public let bias: BiasTreatment

  /// Makes the rule; `alpha − beta` must be 1.
  public init(alpha: Float = 2, beta: Float = 1, bias: BiasTreatment = .absorbed) {
    precondition(Self.isConsistent(alpha, beta), "alpha is \(alpha) and beta \(beta)")
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
  }

  private static func isConsistent(_ alpha: Float, _ beta: Float) -> Bool {
    beta >= 0 && abs(alpha - beta - 1) <= 1e-6 * max(1, alpha)
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [
      Contributions(
        [Term(.positiveOperand, .positive), Term(.negativeOperand, .negative)], bias: bias, as: .positive,
        stabilizer: .signed(ZPlusRule.stabilizer), factor: alpha),
      Contributions(
        [Term(.positiveOperand, .negative), Term(.negativeOperand, .positive)], bias: bias, as: .negative,
        stabilizer: .signed(ZPlusRule.stabilizer), factor: -beta),
    ]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.signedPixelWarnings(of: self) }
}

extension AlphaBetaRule: NamedRule {
  public static let name = "alphaBeta"
  public static let parameters = [
    Parameter.number("alpha", nil, atLeast: 1), .number("beta", nil, atLeast: 0),
    .choice("bias", BiasTreatment.absorbed),
  ]
  public init(_ arguments: Arguments) throws {
    // If one is given, the other follows.
    let alpha = arguments.optionalNumber("alpha") ?? arguments.optionalNumber("beta").map { $0 + 1 } ?? 2
    let beta = arguments.optionalNumber("beta") ?? alpha - 1
    guard Self.isConsistent(alpha, beta) else {
      throw arguments.error(
        found: "alpha \(Arguments.Value.number(alpha)) and beta \(Arguments.Value.number(beta))",
        expected: "alpha − beta = 1"
      )
    }
    self.init(alpha: alpha, beta: beta, bias: arguments.choice("bias"))
  }
  public var arguments: [String: Arguments.Value] {
    ["alpha": .number(alpha), "beta": .number(beta), "bias": .word(bias.rawValue)]
  }
}
