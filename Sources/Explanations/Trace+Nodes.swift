import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// The output of a node, as the model's file defines it; batch × channels × … for most.
  ///
  /// - Parameter node: its name. A node that was merged into one behind it, as a convolution into its batch normalization, has the
  ///   other's output.
  /// - Throws: `RelevanceKitError` if there is no such node, with what may have been meant.
  /// - Complexity: O(1) for most nodes, whose values are kept; a node that a rectifier behind it has overwritten is computed anew.
  public func activation(at node: String) throws -> Tensor {
    let graph = plan.network.graph
    let id = try graph.requiredNode(named: node)
    let value = forward.value(of: id)
    return graph[id].turned?.restored(value, called: node) ?? value
  }

  /// The relevance that arrives at the output of a node when a target is explained; of contrasts it is signed.
  ///
  /// Only what a method seeds and its table count: what is made of several maps, as by integrated gradients, is made at the input.
  ///
  /// - Parameters:
  ///   - target: what is explained.
  ///   - node: a node between the input and the target, or the input.
  ///   - method: how.
  ///   - conditions: what relevance has to pass above the node, or there.
  ///   - exclusive: as of `explain(_:by:through:exclusive:ledger:)`.
  /// - Returns: relevance of the shape of the node's output.
  /// - Throws: `RelevanceKitError` as `explain(_:by:ledger:)` and `explain(_:by:through:exclusive:ledger:)`, and if no relevance can arrive at
  ///   the node.
  /// - Complexity: a backward pass down to the node.
  public func relevance(
    of target: Target, at node: String, by method: any AttributionMethod = .lrp, through conditions: [Condition] = [],
    exclusive: Bool = true
  ) throws -> Tensor {
    try relevance(of: [target], at: [node], by: method, through: conditions, exclusive: exclusive)[0][0]
  }

  /// The relevance of several targets at several nodes, by one walk for as many targets as share one.
  ///
  /// - Parameters:
  ///   - targets: what is explained.
  ///   - nodes: nodes between the input and the targets, or the input.
  ///   - method: how.
  ///   - conditions: what relevance has to pass above the nodes, or there.
  ///   - exclusive: as of `explain(_:by:through:exclusive:ledger:)`.
  /// - Returns: for each node and each target relevance of the shape of the node's output.
  /// - Throws: `RelevanceKitError` as for one.
  /// - Complexity: a backward pass per target, down to the node that lies closest to the input.
  public func relevance(
    of targets: [Target], at nodes: [String], by method: any AttributionMethod = .lrp,
    through conditions: [Condition] = [], exclusive: Bool = true
  ) throws -> [[Tensor]] {
    try relevance(
      of: targets, at: nodes, by: method, throughEach: targets.map { _ in conditions }, exclusive: exclusive)
  }

  /// The same with conditions of its own for each target.
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
    // For each target the nodes.
    let found = try inGroups(targets) { group, places in
      let seeds = try method.seeds(for: group, in: self).tensors
      let arrived = gated.gated(propagator, for: places).relevance(
        arrivingAt: ids, from: seeds, count: group.count)
      return group.indices.map { number in
        zip(zip(ids, nodes), arrived).map { place, arrived in
          let (id, name) = place
          let items = (0..<batch).map { arrived.part($0 * group.count + number, of: batch * group.count) }
          let shaped = forward.asValues(Tensor(joining: items), at: id).reshaped(to: forward.shape(of: id))
          // Relevance is the same whichever sign values are held with; slopes are not.
          guard method.sign == .slope, let node = plan.network.graph[id].turned else { return shaped }
          return node.restored(shaped, called: name)
        }
      }
    }
    return nodes.indices.map { node in found.map { $0[node] } }
  }

  /// Takes relevance of one's own from the output of a node back to the input.
  ///
  /// - Parameters:
  ///   - relevance: a value for each element of the node's output.
  ///   - node: where it starts.
  ///   - table: the rules; nil for the trace's.
  ///   - ledger: whether what became of relevance is summed up at every node, at the price of reading it twice more.
  /// - Returns: the map, of the input's shape, and the ledger, from the node down.
  /// - Throws: `RelevanceKitError` if there is no such node, if none of its relevance can go to the input, for a tensor of another shape or
  ///   with values that are not finite or too large for their shares to be, and for a table that does not fit the network.
  /// - Complexity: a backward pass from the node.
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

  /// The same run with another rule at one node, whatever the table says of it.
  ///
  /// - Throws: `RelevanceKitError` if no relevance arrives at the node, and if the rule does not apply there, or has a parameter with a value
  ///   that it does not take.
  /// - Complexity: O(nodes); nothing is run.
  public func using(_ rule: any Rule, at node: String) throws -> Trace {
    let id = try receiver(named: node, by: nil)
    guard let site = plan[id]?.site else { throw RuleLabError.unreachable(node, isInput: true, table: plan.table.name) }
    try (rule as? any Parameterized)?.checkParameters()
    if let objection = rule.objection(at: site) {
      throw RuleLabError.notApplicable(rule: rule.description, node: node, objection)
    }
    return using(plan.replacingRules([id: rule]))
  }

  /// The same run under another table.
  ///
  /// - Throws: `RelevanceKitError` if the table does not fit the network.
  /// - Complexity: O(nodes × rows); nothing is run.
  public func using(_ table: RuleTable) throws -> Trace { using(try table.resolve(for: plan.network)) }

  /// The node with a name, if it is the input or the table sends relevance there.
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
