/// Rule flat: relevance goes to all inputs of an output in equal shares.
///
/// - Use: first layers, for maps that do not depend on the picture's own values.
/// - Definition: `R_i = Σ_j R_j / n_j`, where output j has `n_j` inputs; padding is none.
/// - Its parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact.
/// - Reference: *Lapuschkin19*, methods.
public struct FlatRule: ContributionRule, NamedRule {
  public static let name = "flat"
  public init() {}

  public func contributions(at site: RuleSite) -> [Contributions] {
    [Contributions([Term(.ones, .ones)], stabilizer: .positive(0))]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.evenShareWarnings }
}
