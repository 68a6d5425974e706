import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// Explains one target; see `explain(_:by:ledger:)` for several.
  ///
  /// - Throws: `RelevanceKitError` as for several targets.
  public func explain(_ target: Target, by method: any AttributionMethod = .lrp, ledger: Bool = true) throws
    -> Explanation
  {
    try explain([target], by: method, ledger: ledger)[0]
  }

  /// Explains several targets, which can be at different nodes. They share all denominators and are propagated
  /// together, in groups that fit into the explainer's memory budget. If `ledger` is true, the relevance at every node
  /// is summed, which reads it twice more.
  ///
  /// The function runs on the calling thread. A service with timers or other callers should run it on its own task
  /// executor (`addTask(executorPreference:)`), so that Swift's thread pool stays free; see Fixtures/dependent for an
  /// example.
  ///
  /// If the task is canceled, the function stops after the current group of targets or, for integrated gradients and
  /// SmoothGrad, after the current sample.
  ///
  /// - Throws: `RelevanceKitError` for a target that does not exist; for a method that the network or the target does
  ///   not allow, or that has a parameter with an invalid value; if a method's own table does not fit the network; and
  ///   if a run at another input, which integrated gradients and SmoothGrad need, is not finite. `CancellationError` if
  ///   the task is canceled.
  /// - Complexity: one backward pass per target; for integrated gradients and SmoothGrad, also one run of the network
  ///   per sample.
  public func explain(_ targets: [Target], by method: any AttributionMethod = .lrp, ledger: Bool = true) throws
    -> [Explanation]
  {
    guard !targets.isEmpty else { return [] }
    try method.checkParameters()
    let targets = try targets.map { try $0.resolved(in: self) }
    let sites = try targets.map { try Site(of: $0, in: self) }
    let maps = try method.maps(of: targets, in: self, ledger: ledger && method.isRelevance)
    for (target, map) in zip(targets, maps) { try check(map, of: target, method) }
    let remarks = try method.remarks(in: self)
    return try zip(targets, zip(sites, maps)).map { target, pair in
      let (site, map) = pair
      var entries = map.ledger
      if !entries.isEmpty && method.isContrastive {
        let name = plan.network.graph[plan.network.input].name
        entries.append(LedgerEntry(clipping: map.values, to: map.values.positivePart, of: name))
      }
      var explanation = Explanation(
        target: target, method: method, scores: (0..<batch).map { site.score(in: self, item: $0) },
        scoreName: site.areLogits ? "logit" : "probability",
        signedRelevance: map.values, ledger: Ledger(entries), completenessErrors: map.completenessErrors)
      explanation.remarks = remarks
      if !method.isContrastive { explanation.tokenShares = tokenShares(explanation.ledger) }
      if case .box(let rank) = target { explanation.boxes = try boxes(ofRank: rank) }
      return explanation
    }
  }

  /// Throws if infinite values led to a map of NaN or of zeros only.
  private func check(_ map: AttributionMap, of target: Target, _ method: any AttributionMethod) throws {
    // Infinite denominators produce maps of zeros. For other maps, the check stops at the first nonzero element.
    guard !map.isFinite || map.values.withUnsafeElements({ $0.allSatisfy { $0 == 0 } }) else { return }
    let graph = plan.network.graph
    var node = graph.ids.first { reaches($0) && !forward.value(of: $0).isFinite }.map { graph[$0].name }
    if map.isFinite, node == nil { return }
    if node == nil {
      let walk = try propagator(for: method.table).propagate(
        method.seeds(for: [target], in: self).tensors, count: 1, keepsLedger: true)
      node = walk.ledgers[0].first { !$0.magnitudeOut.isFinite || !$0.magnitudeIn.isFinite }?.node
    }
    throw ExplanationError.notFinite(
      target: target.description, method: method.description, node: node ?? graph[plan.network.input].name)
  }

  /// The maps of one backward pass per group of targets, from the method's seeds by its table. `walk` replaces the
  /// usual backward pass.
  func propagated(
    _ targets: [Target], by method: some AttributionMethod, ledger: Bool,
    walk: ((_ seeds: [Node.ID: Tensor], _ count: Int, _ places: Range<Int>, Propagator) throws -> Propagator.Result)? =
      nil
  ) throws -> [AttributionMap] {
    let propagator = try propagator(for: method.table)
    return try inGroups(targets) { group, places in
      let seeds = try method.seeds(for: group, in: self).tensors
      let propagator = gated(propagator, for: places)
      let result =
        try walk?(seeds, group.count, places, propagator)
        ?? propagator.propagate(seeds, count: group.count, keepsLedger: ledger)
      return group.indices.map { number in
        let items = (0..<batch).map { result.relevance.part($0 * group.count + number, of: batch * group.count) }
        var map = AttributionMap(Tensor(joining: items).reshaped(to: input.shape))
        map.ledger = ledger ? result.ledgers[number] : []
        return map
      }
    }
  }

  /// Passes the targets to `body` in groups that fit into the memory budget.
  func inGroups<Result>(
    _ targets: [Target], _ body: (_ group: [Target], _ places: Range<Int>) throws -> [Result]
  ) throws -> [Result] {
    // Relevance at the current node is stored twice, and relevance of a branch may be stored too.
    let largest = forward.plan.shapes.map(\.count).max() ?? 1
    let fitting = max(1, explainer.memoryBudget / (4 * largest * MemoryLayout<Float>.size))
    let size = forward.sharesWalks ? fitting : 1
    return try targets.groups(of: size).enumerated().flatMap { number, group in
      try Task.checkCancellation()
      return try body(group, number * size..<number * size + group.count)
    }
  }
}

extension Array {
  /// Consecutive groups of `size` elements; the last group may be smaller.
  func groups(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
