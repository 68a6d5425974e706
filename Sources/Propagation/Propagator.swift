import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

/// The backward walk: propagates relevance from seeds to the input of one recorded run, according to a plan.
///
/// Where a value is used by several nodes, their relevance is added. The rule of a node is applied when all its
/// relevance has arrived.
package struct Propagator: Sendable {
  package let plan: RulePlan
  package let trace: ForwardTrace
  /// The clock that records the time each node takes.
  package var clock: NodeClock?
  /// The gates that seeds must pass.
  private var passages = Passages()
  private let denominators = Cache<DenominatorKey, Tensor>()

  package init(plan: RulePlan, trace: ForwardTrace) { (self.plan, self.trace) = (plan, trace) }

  /// The propagator for seeds that use the given passages cyclically; it shares denominators with this one.
  package func through(_ passages: [Passage]) -> Propagator {
    var copy = self
    copy.passages = Passages(each: passages)
    return copy
  }

  /// The size in bytes of the denominators computed so far, without those that the run has stored.
  package var denominatorBytes: Int {
    denominators.all.reduce(0) { $0 + (trace.holds($1) ? 0 : $1.count * MemoryLayout<Float>.stride) }
  }

  package struct Result: Sendable {
    /// The relevance of the input: `seeds` items for each item of the batch.
    package let relevance: Tensor
    /// For each seed, the entries of the nodes that relevance reached, over all items, in the order of the walk; empty
    /// without a ledger.
    package let ledgers: [[LedgerEntry]]

    /// The combined results of two walks over the same nodes.
    package static func + (a: Result, b: Result) -> Result {
      Result(
        relevance: a.relevance.combined(with: b.relevance, +),
        ledgers: zip(a.ledgers, b.ledgers).map { zip($0, $1).map(+) })
    }
  }

  /// Propagates relevance from one or more nodes to the input.
  ///
  /// - Parameters:
  ///   - seeds: for each start node, the relevance of its output: `count` items for each item of the batch.
  ///   - count: the number of explanations that are propagated together.
  ///   - keepsLedger: whether to record sums at each node, which reads all relevance two more times.
  /// - Complexity: one adjoint product for each weighted layer and explanation. The denominators of a trace are
  ///   computed once.
  package func propagate(_ seeds: [Node.ID: Tensor], count: Int, keepsLedger: Bool) -> Result {
    outcome(of: seeds, count: count, keepsLedger: keepsLedger, until: plan.network.input)
  }

  /// The relevance that arrives at a node's output: `count` items for each item of the batch, zeros if none arrives.
  package func relevance(arrivingAt id: Node.ID, from seeds: [Node.ID: Tensor], count: Int) -> Tensor {
    outcome(of: seeds, count: count, keepsLedger: false, until: id).relevance
  }

  /// The relevance that arrives at several nodes, computed in one walk down to the last of them.
  package func relevance(arrivingAt ids: [Node.ID], from seeds: [Node.ID: Tensor], count: Int) -> [Tensor] {
    guard let last = ids.min() else { return [] }
    // If explanations cannot share a walk, nodes cannot either.
    guard ids.count > 1, count == 1 || trace.sharesWalks else {
      return ids.map { relevance(arrivingAt: $0, from: seeds, count: count) }
    }
    let walk = walk(seeds, count: count, keepsLedger: false, until: last, keeping: Set(ids))
    return ids.map { finished($0 == last ? walk.relevance : walk.kept[$0], at: $0, count: count) }
  }

  /// The relevance that arrived at a node, with contiguous items; zeros if none arrived.
  private func finished(_ relevance: Tensor?, at id: Node.ID, count: Int) -> Tensor {
    let shape = Layer.relevanceShape(of: trace.shape(of: id), batch: trace.items, seeds: count)
    return relevance.map { trace.itemByItem($0, at: id).reshaped(to: shape) } ?? Tensor(shape: shape)
  }

  /// The relevance at a node: one item for each explanation and each item of the batch.
  private func outcome(of seeds: [Node.ID: Tensor], count: Int, keepsLedger: Bool, until last: Node.ID) -> Result {
    let items = trace.items
    guard count == 1 || trace.sharesWalks else {
      // Where the first axis is not the batch axis, each explanation needs its own walk.
      let each = seeds.mapValues {
        $0.reshaped(to: [items, count, $0.count / max(items * count, 1)]).transposed([1, 0, 2])
      }
      let found = (0..<count).map { number in
        var single = self
        single.passages = passages[number]
        return single.outcome(of: each.mapValues { $0.item(number) }, count: 1, keepsLedger: keepsLedger, until: last)
      }
      // Reorder from seed by seed to item by item, with the seeds of an item adjacent.
      let shape = TensorShape([count, items, (found.first?.relevance.count ?? 0) / max(items, 1)])
      let relevance = Tensor(joining: found.map(\.relevance)).reshaped(to: shape).transposed([1, 0, 2])
      return Result(relevance: relevance.reshaped(to: [items * count, shape[2]]), ledgers: found.flatMap(\.ledgers))
    }
    let walk = walk(seeds, count: count, keepsLedger: keepsLedger, until: last)
    return Result(relevance: finished(walk.relevance, at: last, count: count), ledgers: walk.ledgers)
  }

  /// - Parameter stops: nodes above the last one whose relevance is also returned.
  private func walk(
    _ seeds: [Node.ID: Tensor], count: Int, keepsLedger: Bool, until last: Node.ID, keeping stops: Set<Node.ID> = []
  ) -> (relevance: Tensor?, ledgers: [[LedgerEntry]], kept: [Node.ID: Tensor]) {
    let graph = plan.network.graph
    let isRectified = seeds.allSatisfy { respectsRectifiers($1, at: $0) }
    var arriving = [Tensor?](repeating: nil, count: graph.nodes.count)
    for (id, seed) in seeds {
      let shape = Layer.relevanceShape(of: trace.plan.shapes[id.index], batch: trace.items, seeds: count)
      arriving[id.index] = passages.starting(
        trace.asValues(seed, at: id).reshaped(to: shape), at: id, items: trace.items, seeds: count)
    }
    var ledgers = [[LedgerEntry]](repeating: [], count: keepsLedger ? count : 0)
    var kept: [Node.ID: Tensor] = [:]
    trace.workers.compute {
      clock?.start()
      for assignment in plan.assignments.reversed() where assignment.site.id > last {
        let id = assignment.site.id
        guard var relevance = arriving[id.index].take() else { continue }
        let removed = close(&relevance, at: id, count: count, keepsLedger: keepsLedger)
        if stops.contains(id) { kept[id] = relevance }
        let isRectified = isRectified && assignment.site.isRectified
        var outcome =
          if count > 1, !trace.countsItemsFirst(id) {
            stepOneByOne(
              assignment, consume relevance, count: count, isRectified: isRectified, keepsLedger: keepsLedger)
          } else {
            step(
              assignment.rule, at: assignment.site, consume relevance, count: count, isRectified: isRectified,
              keepsLedger: keepsLedger, denominators)
          }
        if !passages.each.isEmpty {
          outcome = passed(outcome, from: assignment.site.node, id, removed, count: count, keepsLedger: keepsLedger)
        }
        // A ledger starts at the node where the relevance of its seed starts.
        for (seed, entry) in outcome.entries.enumerated() where !ledgers[seed].isEmpty || entry.magnitudeIn > 0 {
          ledgers[seed].append(entry)
        }
        for (operand, share) in zip(assignment.site.node.inputs, outcome.shares) {
          guard let share else { continue }
          // Taken out of the array while it grows, so that the sum is computed in place.
          if var sum = arriving[operand.index].take() {
            sum.add(share, on: trace.workers)
            arriving[operand.index] = sum
          } else {
            arriving[operand.index] = share
          }
        }
        clock?.lap(id)
      }
    }
    if var relevance = arriving[last.index].take() {
      let removed = close(&relevance, at: last, count: count, keepsLedger: keepsLedger)
      arriving[last.index] = relevance
      let node = graph[last]
      for (seed, removed) in removed.enumerated() {
        let left = relevance.sums(ofSeed: seed, items: trace.items, of: count)
        ledgers[seed].append(LedgerEntry(closing: node, left: left, removed: removed))
      }
    }
    return (arriving[last.index], ledgers, kept)
  }

  /// Closes the gates at a node. Returns the relevance that this removed from each seed, if there are gates and a
  /// ledger is kept.
  private func close(_ relevance: inout Tensor, at id: Node.ID, count: Int, keepsLedger: Bool) -> [RelevanceSums] {
    guard passages.hasGate(at: id) else { return [] }
    func sums() -> [RelevanceSums] {
      keepsLedger ? (0..<count).map { relevance.sums(ofSeed: $0, items: trace.items, of: count) } : []
    }
    let before = sums()
    passages.close(&relevance, at: id, of: trace.plan.shapes[id.index], items: trace.items, seeds: count)
    return zip(before, sums()).map { $0 - $1 }
  }

  /// The shares of a node that pass the gates, and the ledger entries with the removed relevance.
  private func passed(
    _ outcome: (shares: [Tensor?], entries: [LedgerEntry]), from node: Node, _ id: Node.ID, _ removed: [RelevanceSums],
    count: Int, keepsLedger: Bool
  ) -> (shares: [Tensor?], entries: [LedgerEntry]) {
    var outcome = outcome
    if !removed.isEmpty {
      outcome.entries = zip(outcome.entries, removed).map { $0.preceded(byRemoving: $1) }
    }
    for (place, operand) in node.inputs.enumerated() {
      guard let share = outcome.shares[place], passages.bars(operand, from: id) else { continue }
      let passing = passages.passing(share, from: id, to: operand, items: trace.items, seeds: count)
      outcome.shares[place] = passing
      guard keepsLedger else { continue }
      outcome.entries = outcome.entries.enumerated().map { seed, entry in
        let all = share.sums(ofSeed: seed, items: trace.items, of: count)
        let rest = passing?.sums(ofSeed: seed, items: trace.items, of: count) ?? .zero
        return entry.followed(byRemoving: all - rest)
      }
    }
    return outcome
  }

  /// The result of one rule, which may differ from the plan's, for relevance at the output of one node that the plan
  /// reaches.
  package func apply(
    _ rule: any Rule, at id: Node.ID, to relevance: Tensor
  ) -> (shares: [Tensor?], entry: LedgerEntry) {
    guard let site = plan[id]?.site else {
      preconditionFailure("no relevance arrives at node \(plan.network.graph[id].name)")
    }
    // The relevance is arbitrary: it can be nonzero anywhere, and denominators cannot be shared with other rules.
    let outcome = trace.workers.compute {
      step(rule, at: site, relevance, count: 1, isRectified: false, keepsLedger: true, Cache())
    }
    return (outcome.shares, outcome.entries[0])
  }

  /// Propagates relevance through one node. The ledger has one entry for each of `count` seeds, or none if it is not
  /// kept.
  private func step(
    _ rule: any Rule, at site: RuleSite, _ relevance: consuming Tensor, count: Int, isRectified: Bool,
    keepsLedger: Bool, _ denominators: Cache<DenominatorKey, Tensor>
  ) -> (shares: [Tensor?], entries: [LedgerEntry]) {
    let items = trace.itemDistance(of: site.id) == nil ? trace.items : 1
    let account = keepsLedger ? LayerAccount(items: items * count) : nil
    let layer = Layer(
      site: site, seeds: count, trace: trace, denominators: denominators, isRectified: isRectified, account: account,
      clock: clock)
    let arrived = keepsLedger ? layer.sums(bySeed: relevance) : []
    let shares = rule.propagate(consume relevance, through: layer)
    return (shares, account.map { layer.entries(rule, arrived: arrived, shares, $0) } ?? [])
  }

  /// Propagates relevance seed by seed through a node with a single item whose first axis is not the batch axis.
  private func stepOneByOne(
    _ assignment: RulePlan.Assignment, _ relevance: consuming Tensor, count: Int, isRectified: Bool, keepsLedger: Bool
  ) -> (shares: [Tensor?], entries: [LedgerEntry]) {
    let site = assignment.site
    let own = trace.shape(of: site.id)
    let all = relevance.reshaped(to: TensorShape([count, own.count]))
    let outcomes = (0..<count).map { seed in
      step(
        assignment.rule, at: site, all.item(seed).reshaped(to: own), count: 1, isRectified: isRectified,
        keepsLedger: keepsLedger, denominators)
    }
    let shares = site.node.inputs.indices.map { place -> Tensor? in
      let parts = outcomes.compactMap { $0.shares[place] }
      guard !parts.isEmpty else { return nil }
      let shape = trace.shape(of: site.node.inputs[place])
      return Tensor(joining: parts.map { $0.reshaped(to: TensorShape([1, shape.count])) })
        .reshaped(to: Layer.relevanceShape(of: shape, batch: 1, seeds: count))
    }
    return (shares, outcomes.flatMap(\.entries))
  }

  /// Whether a seed has no relevance at values that are 0 or that a rectifier cuts off. The seed of the logits always
  /// counts as such.
  private func respectsRectifiers(_ seed: Tensor, at id: Node.ID) -> Bool {
    if id == plan.network.logits { return true }
    if plan[id]?.site.isRectified ?? false { return false }
    let count = trace.shape(of: id).count / trace.items
    let items = seed.count / count / trace.items
    let (values, seed) = (trace.itemByItem(trace.value(of: id), at: id).view, seed.view)
    return seed.indices.allSatisfy { seed[$0] == 0 || values[$0 / count / items * count + $0 % count] != 0 }
  }
}

extension ForwardTrace {
  /// Values of a node, or relevance of one seed, rearranged so that each item is contiguous.
  package func itemByItem(_ values: Tensor, at id: Node.ID) -> Tensor {
    guard let distance = itemDistance(of: id) else { return values }
    return values.reshaped(to: [values.count / (items * distance), items, distance]).transposed([1, 0, 2])
  }

  /// The inverse of `itemByItem(_:at:)`: the layout of the node.
  package func asValues(_ itemByItem: Tensor, at id: Node.ID) -> Tensor {
    guard let distance = itemDistance(of: id) else { return itemByItem }
    return itemByItem.reshaped(to: [items, itemByItem.count / (items * distance), distance]).transposed([1, 0, 2])
  }
}
