import RelevancePropagation

extension Explainer {
  /// The same network under another table. Threads, memory and weights that are laid out for products are shared, so that trying many tables
  /// costs little.
  ///
  /// - Parameter rules: the table.
  /// - Throws: as `RuleTable.draft(for:)`.
  public func replacingRules(with rules: RuleTable) throws -> Explainer {
    Explainer(self, plan: try rules.draft(for: network))
  }
}
