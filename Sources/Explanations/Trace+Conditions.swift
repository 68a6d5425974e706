import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// Explains a target by the relevance that passes through some channels of some nodes only (Concept Relevance
  /// Propagation, *Achtibat23*).
  ///
  /// - Parameters:
  ///   - target: the unit to explain.
  ///   - method: a method that propagates relevance or gradients through the network.
  ///   - conditions: conditions that all apply; empty for none.
  ///   - exclusive: whether only relevance that passed through every conditioned node counts. If false, relevance of
  ///     parallel branches, such as the identity branches of a residual network, counts too.
  ///   - ledger: as in `explain(_:by:ledger:)`; the relevance that a condition removed has the cause `condition`.
  /// - Throws: `RelevanceKitError` as `explain(_:by:ledger:)`; for a node or channel that does not exist or that no
  ///   relevance of the target passes through; and for a method that does not support conditions.
  /// - Complexity: As `explain(_:by:ledger:)`.
  public func explain(
    _ target: Target, by method: any AttributionMethod = .lrp, through conditions: [Condition], exclusive: Bool = true,
    ledger: Bool = true
  ) throws -> Explanation {
    try explain([target], by: method, throughEach: [conditions], exclusive: exclusive, ledger: ledger)[0][0]
  }

  /// Explains several targets, each under several sets of conditions. They share backward passes as several targets do.
  ///
  /// - Parameters:
  ///   - targets: the units to explain.
  ///   - method: a method that propagates relevance or gradients through the network.
  ///   - conditionSets: sets of conditions; within a set, all conditions apply.
  ///   - exclusive: whether only relevance that passed through every conditioned node counts.
  ///   - ledger: as in `explain(_:by:ledger:)`.
  /// - Returns: For each target, its explanations in the order of the sets.
  /// - Throws: `RelevanceKitError` as for one set.
  /// - Complexity: one backward pass per target and set.
  public func explain(
    _ targets: [Target], by method: any AttributionMethod = .lrp, throughEach conditionSets: [[Condition]],
    exclusive: Bool = true, ledger: Bool = true
  ) throws -> [[Explanation]] {
    try method.checkParameters()
    guard method.takesConditions || conditionSets.allSatisfy(\.isEmpty) else {
      throw ConditionError.notPropagated(method: method.name)
    }
    var all: [Target] = []
    var gated = self
    for target in targets {
      let target = try target.resolved(in: self)
      let starts = try Site(of: target, in: self).nodes
      for conditions in conditionSets {
        all.append(target)
        gated.passages.append(
          try passage(conditions, exclusive: exclusive, of: target, at: starts, by: method.table))
      }
    }
    let found = try gated.explain(all, by: method, ledger: ledger)
    return targets.indices.map { target in
      conditionSets.indices.map { set in
        var explanation = found[target * conditionSets.count + set]
        (explanation.conditions, explanation.isExclusive) = (conditionSets[set], exclusive)
        return explanation
      }
    }
  }

  /// The propagator with the passages of some of the targets.
  func gated(_ propagator: Propagator, for targets: Range<Int>) -> Propagator {
    passages.isEmpty ? propagator : propagator.through(Array(passages[targets]))
  }
}
