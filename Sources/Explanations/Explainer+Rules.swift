import RelevancePropagation

extension Explainer {
  /// The same network with another rule table. The new explainer shares threads, memory and packed weights with this
  /// one, so trying many tables is cheap.
  ///
  /// - Parameter rules: the table.
  /// - Throws: As `RuleTable.draft(for:)`.
  public func replacingRules(with rules: RuleTable) throws -> Explainer {
    Explainer(self, plan: try rules.draft(for: network))
  }
}
