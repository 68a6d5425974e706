/// Rule w²: relevance is distributed to inputs in proportion to their squared weights, regardless of their values.
///
/// - Use: first layers whose inputs have no bounds.
/// - Definition: `R_i = Σ_j w_ij² / Σ_i' w_i'j² · R_j`, where sums run over the inputs of the output; padding receives
///   nothing.
/// - Its parameters: `bias`.
/// - Bias: bypassed by default; otherwise `b_j²` counts.
/// - Conservation: exact except for the shares of biases.
/// - Reference: *Montavon17* §4.1.
public struct WSquareRule: ContributionRule, NamedRule {
  public static let name = "wSquare"
  public static let parameters: [Parameter<Self>] = [.init("bias", \.bias)]

  /// The treatment of biases.
  public private(set) var bias: BiasTreatment

  public init() { bias = .bypassed }
  /// Creates the rule.
  public init(bias: BiasTreatment) { self.bias = bias }

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.ones, .squared)], bias: bias, as: .squared, stabilizer: .positive(0))]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.evenShareWarnings }
}
