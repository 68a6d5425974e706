import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// Explains a target by the relevance that passes some channels of some nodes only. *Achtibat23*: Concept Relevance Propagation.
  ///
  /// - Parameters:
  ///   - target: what is explained.
  ///   - method: one that carries relevance, or gradients, through the network.
  ///   - conditions: all of them hold; none means no condition.
  ///   - exclusive: whether only relevance that has passed every conditioned node reaches the input. Otherwise branches beside them count too,
  ///     as the identities of a residual network.
  ///   - ledger: as of `explain(_:by:ledger:)`; what a condition took out is there under the cause `condition`.
  /// - Throws: `RelevanceKitError` as `explain(_:by:ledger:)`; for a node or a channel that does not exist, or that no relevance of the target
  ///   passes; and for a method that cannot have conditions.
  /// - Complexity: as `explain(_:by:ledger:)`.
  public func explain(
    _ target: Target, by method: any AttributionMethod = .lrp, through conditions: [Condition], exclusive: Bool = true,
    ledger: Bool = true
  ) throws -> Explanation {
    try explain([target], by: method, throughEach: [conditions], exclusive: exclusive, ledger: ledger)[0][0]
  }

  /// Explains several targets, each under several conditions, which share walks as several targets do.
  ///
  /// - Parameters:
  ///   - targets: what is explained.
  ///   - method: one that carries relevance, or gradients, through the network.
  ///   - conditionSets: of each set all conditions hold.
  ///   - exclusive: whether only relevance that has passed every conditioned node reaches the input.
  ///   - ledger: as of `explain(_:by:ledger:)`.
  /// - Returns: for each target its explanations, in the order of the sets.
  /// - Throws: `RelevanceKitError` as for one.
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

  /// The same walks through the passages of some of the targets.
  func gated(_ propagator: Propagator, for targets: Range<Int>) -> Propagator {
    passages.isEmpty ? propagator : propagator.through(Array(passages[targets]))
  }
}
