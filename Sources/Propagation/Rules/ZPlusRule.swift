/// Rule z⁺: relevance goes to inputs in proportion to their positive contributions.
///
/// - Use: weighted layers above the first, whose inputs are rectified.
/// - Definition: `R_i = Σ_j (x_i w⁺_ij)⁺ / Σ_i' (x_i' w⁺_i'j)⁺ · R_j`, where for an input that may be negative the contribution
///   `x_i w_ij` counts when it is positive as a product: `x⁺w⁺ + x⁻w⁻`. For `x ≥ 0` that is `x_i w⁺_ij`. The same as αβ with
///   α = 1, β = 0.
/// - Its parameters: `bias`; `stabilizer` is added to the denominator, which cannot be negative.
/// - Bias: bypassed by default; otherwise `b⁺_j` counts.
/// - Conservation: exact up to the stabilizer and the biases' shares; an output without positive contributions sends nothing.
/// - Reference: *Montavon17* §4.2 eq. 14; *Gu18* §3 eq. 1.
public struct ZPlusRule: ContributionRule, NamedRule {
  public static let name = "zPlus"
  public static let parameters: [Parameter<Self>] = [.init("bias", \.bias)]

  /// Added to denominators: far below any activation, far above rounding to zero.
  public static let stabilizer: Float = 1e-9
  /// What happens to biases.
  public private(set) var bias: BiasTreatment

  public init() { bias = .bypassed }
  /// Makes the rule.
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
