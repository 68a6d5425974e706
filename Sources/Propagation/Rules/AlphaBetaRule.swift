/// Rule αβ: positive and negative contributions distribute relevance separately.
///
/// - Use: weighted layers. α = 2, β = 1 also shows evidence against the class; α = 1, β = 0 is rule z⁺.
/// - Definition: `R_i = Σ_j (α c⁺_ij / (Σ_i' c⁺_i'j + b⁺_j) − β c⁻_ij / (Σ_i' c⁻_i'j + b⁻_j)) · R_j` with `c_ij = x_i
///   w_ij`; a part whose denominator is 0 is omitted.
/// - Its parameters: `alpha` and `beta` with `alpha − beta = 1` and `beta` ≥ 0; one of them can be omitted. `bias`. The
///   stabilizer is that of rule z⁺.
/// - Bias: absorbed by default.
/// - Conservation: exact except for the shares of biases, and for outputs whose contributions all have the same sign.
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
  /// The treatment of biases.
  public private(set) var bias: BiasTreatment
  /// If one of them is given, the other follows from it.
  private var given: (alpha: Float?, beta: Float?)

  public init() { (bias, given) = (.absorbed, (nil, nil)) }
  /// Creates the rule. A table with the rule can be resolved only if `alpha − beta` is 1.
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
