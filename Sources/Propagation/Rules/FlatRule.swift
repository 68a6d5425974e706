/// Rule flat: the relevance of an output is distributed to its inputs in equal shares.
///
/// - Use: first layers, for maps that do not depend on the values of the pixels.
/// - Definition: `R_i = Σ_j R_j / n_j`, where output j has `n_j` inputs, not counting padding.
/// - Its parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact.
/// - Reference: *Lapuschkin19*, section Methods.
public struct FlatRule: ContributionRule, NamedRule {
  public static let name = "flat"
  public init() {}

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.ones, .ones)], stabilizer: .positive(0))]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.evenShareWarnings }
}
