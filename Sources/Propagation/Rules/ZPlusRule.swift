/// Rule z⁺: relevance is distributed to inputs in proportion to their positive contributions.
///
/// - Use: weighted layers above the first, whose inputs are rectified.
/// - Definition: `R_i = Σ_j (x_i w⁺_ij)⁺ / Σ_i' (x_i' w⁺_i'j)⁺ · R_j`. For an input that can be negative, the
///   contribution `x_i w_ij` counts if the product is positive: `x⁺w⁺ + x⁻w⁻`. For `x ≥ 0` this is `x_i w⁺_ij`. The
///   same as αβ with α = 1, β = 0.
/// - Its parameters: `bias`. The constant `stabilizer` is added to the denominator, which is never negative.
/// - Bias: bypassed by default; otherwise `b⁺_j` counts.
/// - Conservation: exact except for the shares of the stabilizer and of biases; an output without positive
///   contributions sends no relevance.
/// - Reference: *Montavon17* §4.2 eq. 14; *Gu18* §3 eq. 1.
public struct ZPlusRule: ContributionRule, NamedRule {
  public static let name = "zPlus"
  public static let parameters: [Parameter<Self>] = [.init("bias", \.bias)]

  /// The number added to denominators: far below any activation, and far above the smallest positive number.
  public static let stabilizer: Float = 1e-9
  /// The treatment of biases.
  public private(set) var bias: BiasTreatment

  public init() { bias = .bypassed }
  /// Creates the rule.
  public init(bias: BiasTreatment) { self.bias = bias }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [
      Contributions(
        [Term(.positiveOperand, .positive), Term(.negativeOperand, .negative)], bias: bias, as: .positive,
        stabilizer: .positive(Self.stabilizer))
    ]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.signedPixelWarnings(of: self) }
}
