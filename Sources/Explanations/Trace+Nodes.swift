import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// The output of a node, as the model file defines it; batch × channels × … for most nodes.
  ///
  /// - Parameter node: the node's name. A node that was merged into a later one, such as a convolution into its batch
  ///   normalization, has the later node's output.
  /// - Throws: `RelevanceKitError` with similar names if there is no such node.
  /// - Complexity: O(1) for most nodes, whose values are stored. If a rectifier after the node has overwritten the
  ///   values, they are computed again.
  public func activation(at node: String) throws -> Tensor {
    let graph = plan.network.graph
    let id = try graph.requiredNode(named: node)
    let value = forward.value(of: id)
    return graph[id].turned?.restored(value, called: node) ?? value
  }

  /// The relevance that arrives at the output of a node when a target is explained; signed for contrastive methods.
  ///
  /// Only the method's seeds and table apply here. Methods that combine several maps, such as integrated gradients, do
  /// so at the input only.
  ///
  /// - Parameters:
  ///   - target: the unit to explain.
  ///   - node: a node between the input and the target, or the input.
  ///   - method: the attribution method.
  ///   - conditions: the channels that relevance must pass through, at the node or between the target and the node.
  ///   - exclusive: as in `explain(_:by:through:exclusive:ledger:)`.
  /// - Returns: Relevance in the shape of the node's output.
  /// - Throws: `RelevanceKitError` as `explain(_:by:ledger:)` and `explain(_:by:through:exclusive:ledger:)`, and if no
  ///   relevance can arrive at the node.
  /// - Complexity: one backward pass down to the node.
  public func relevance(
    of target: Target, at node: String, by method: any AttributionMethod = .lrp, through conditions: [Condition] = [],
    exclusive: Bool = true
  ) throws -> Tensor {
    try relevance(of: [target], at: [node], by: method, through: conditions, exclusive: exclusive)[0][0]
  }

  /// The relevance of several targets at several nodes, with shared backward passes.
  ///
  /// - Parameters:
  ///   - targets: the units to explain.
  ///   - nodes: nodes between the input and the targets, or the input.
  ///   - method: the attribution method.
  ///   - conditions: the channels that relevance must pass through, at the nodes or between the targets and the nodes.
  ///   - exclusive: as in `explain(_:by:through:exclusive:ledger:)`.
  /// - Returns: For each node and each target, relevance in the shape of the node's output.
  /// - Throws: `RelevanceKitError` as for one target.
  /// - Complexity: one backward pass per target, down to the node closest to the input.
  public func relevance(
    of targets: [Target], at nodes: [String], by method: any AttributionMethod = .lrp,
    through conditions: [Condition] = [], exclusive: Bool = true
  ) throws -> [[Tensor]] {
    try relevance(
      of: targets, at: nodes, by: method, throughEach: targets.map { _ in conditions }, exclusive: exclusive)
  }

  /// As above, with separate conditions for each target.
  func relevance(
    of targets: [Target], at nodes: [String], by method: any AttributionMethod, throughEach conditions: [[Condition]],
    exclusive: Bool
  ) throws -> [[Tensor]] {
    let ids = try nodes.map { try receiver(named: $0, by: method.table) }
    guard let last = ids.min() else { return [] }
    try method.checkParameters()
    let targets = try targets.map { try $0.resolved(in: self) }
    let propagator = try propagator(for: method.table, downTo: last)
    var gated = self
    if conditions.contains(where: { !$0.isEmpty }) {
      guard method.takesConditions else { throw ConditionError.notPropagated(method: method.name) }
      gated.passages = try zip(targets, conditions).map { target, conditions in
        try passage(
          conditions, exclusive: exclusive, of: target, at: Site(of: target, in: self).nodes, by: method.table)
      }
    }
    // For each target, one tensor per node.
    let found = try inGroups(targets) { group, places in
      let seeds = try method.seeds(for: group, in: self).tensors
      let arrived = gated.gated(propagator, for: places).relevance(
        arrivingAt: ids, from: seeds, count: group.count)
      return group.indices.map { number in
        zip(zip(ids, nodes), arrived).map { place, arrived in
          let (id, name) = place
          let items = (0..<batch).map { arrived.part($0 * group.count + number, of: batch * group.count) }
          let shaped = forward.asValues(Tensor(joining: items), at: id).reshaped(to: forward.shape(of: id))
          // Relevance does not depend on the sign with which values are stored, but slopes do.
          guard method.sign == .slope, let node = plan.network.graph[id].turned else { return shaped }
          return node.restored(shaped, called: name)
        }
      }
    }
    return nodes.indices.map { node in found.map { $0[node] } }
  }

  /// Propagates given relevance from the output of a node to the input.
  ///
  /// - Parameters:
  ///   - relevance: a value for each element of the node's output.
  ///   - node: the node where the propagation starts.
  ///   - table: the rule table; nil for the trace's table.
  ///   - ledger: whether to record the relevance flow at every node, which reads the relevance twice more.
  /// - Returns: The map, in the shape of the input, and the ledger, from the node to the input.
  /// - Throws: `RelevanceKitError` if there is no such node, if none of its relevance can reach the input, for a tensor
  ///   of another shape, for values that are not finite or so large that their shares are not finite, and for a table
  ///   that does not fit the network.
  /// - Complexity: one backward pass from the node.
  public func propagate(
    _ relevance: Tensor, from node: String, by table: RuleTable? = nil, ledger: Bool = true
  ) throws -> AttributionMap {
    let id = try receiver(named: node, by: table)
    let shape = forward.shape(of: id)
    guard relevance.shape == shape else {
      throw RuleLabError.seedShape(node: node, expected: shape, found: relevance.shape)
    }
    guard relevance.isFinite else { throw RuleLabError.seedNotFinite(node: node) }
    try Task.checkCancellation()
    let result = try propagator(for: table).propagate(
      [id: forward.itemByItem(relevance, at: id)], count: 1, keepsLedger: ledger)
    guard result.relevance.isFinite else {
      throw RuleLabError.resultNotFinite(node: node, by: (table ?? plan.table).name)
    }
    var map = AttributionMap(result.relevance.reshaped(to: input.shape))
    map.ledger = result.ledgers.first ?? []
    return map
  }

  /// The same run with another rule at one node, which replaces the rule of the table.
  ///
  /// - Throws: `RelevanceKitError` if no relevance arrives at the node, if the rule does not apply there, or if a
  ///   parameter has an invalid value.
  /// - Complexity: O(nodes); the network is not run.
  public func using(_ rule: any Rule, at node: String) throws -> Trace {
    let id = try receiver(named: node, by: nil)
    guard let site = plan[id]?.site else { throw RuleLabError.unreachable(node, isInput: true, table: plan.table.name) }
    try (rule as? any Parameterized)?.checkParameters()
    if let objection = rule.objection(at: site) {
      throw RuleLabError.notApplicable(rule: rule.description, node: node, objection)
    }
    return using(plan.replacingRules([id: rule]))
  }

  /// The same run under another rule table.
  ///
  /// - Throws: `RelevanceKitError` if the table does not fit the network.
  /// - Complexity: O(nodes × rows); the network is not run.
  public func using(_ table: RuleTable) throws -> Trace { using(try table.resolve(for: plan.network)) }

  /// The node with a name, if it is the input or relevance arrives at it under the table.
  func receiver(named name: String, by table: RuleTable?) throws -> Node.ID {
    let network = plan.network
    let id = try network.graph.requiredNode(named: name)
    let plan = try table.map { try explainer.plan(for: $0) } ?? plan
    guard id == network.input || plan[id] != nil else {
      throw RuleLabError.unreachable(name, isInput: false, table: plan.table.name)
    }
    return id
  }
}
