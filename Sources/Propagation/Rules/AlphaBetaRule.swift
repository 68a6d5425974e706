/// Rule αβ: positive and negative contributions share out relevance separately.
///
/// - Use: weighted layers; α = 2, β = 1 shows what speaks against, α = 1, β = 0 is rule z⁺.
/// - Definition: `R_i = Σ_j (α c⁺_ij / (Σ_i' c⁺_i'j + b⁺_j) − β c⁻_ij / (Σ_i' c⁻_i'j + b⁻_j)) · R_j` with `c_ij = x_i w_ij`; nothing for a
///   part whose denominator is 0.
/// - Its parameters: `alpha` − `beta` = 1, `beta` ≥ 0, of which one can be left out; `bias`. The stabilizer is that of rule z⁺.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the shares of the biases and outputs that have contributions of one sign only.
/// - Reference: *Bach15* eq. 60.
public struct AlphaBetaRule: ContributionRule, NamedRule {
  public static let name = "alphaBeta"
  public static let parameters: [Parameter<Self>] = [
    .init("alpha", \.alphaOrNone, expected: "a number of at least 1") { $0 ?? 1 >= 1 },
    .init("beta", \.betaOrNone, expected: "a number of at least 0") { $0 ?? 0 >= 0 }, .init("bias", \.bias),
  ]

  /// The factor of positive contributions.
  public var alpha: Float { given.alpha ?? given.beta.map { $0 + 1 } ?? 2 }
  /// The factor of negative contributions.
  public var beta: Float { given.beta ?? alpha - 1 }
  /// What happens to biases.
  public private(set) var bias: BiasTreatment
  /// If one is given, the other follows.
  private var given: (alpha: Float?, beta: Float?)

  public init() { (bias, given) = (.absorbed, (nil, nil)) }
  /// Makes the rule; `alpha − beta` must be 1, or a table with the rule cannot be resolved.
  public init(alpha: Float = 2, beta: Float = 1, bias: BiasTreatment = .absorbed) {
    (self.bias, given) = (bias, (alpha, beta))
  }

  private var alphaOrNone: Float? {
    get { alpha }
    set { given.alpha = newValue }
  }
  private var betaOrNone: Float? {
    get { beta }
    set { given.beta = newValue }
  }
  public var objection: (found: String, expected: String)? {
    abs(alpha - beta - 1) <= 1e-6 * max(1, alpha)
      ? nil : ("alpha \(alpha.text) and beta \(beta.text)", "alpha − beta = 1")
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
