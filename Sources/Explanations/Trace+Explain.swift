import Execution
import Networks
import Propagation
import Tensors

extension Trace {
  /// Explains one target; see `explain(_:by:ledger:)` for several.
  ///
  /// - Throws: `GraphError.noSuchNode`, `ExplanationError`, `RuleTableError` or `ExecutionError`, as for several.
  public func explain(_ target: Target, by method: Method = .lrp, ledger: Bool = true) throws -> Explanation {
    try explain([target], by: method, ledger: ledger)[0]
  }

  /// Explains several targets, of any nodes: they share all denominators and are propagated together, as many at a time as
  /// fit into the explainer's memory budget. `ledger` says whether the relevance at every node is summed up, at the price of
  /// reading it twice more.
  ///
  /// - Throws: `GraphError.noSuchNode` or `ExplanationError` for a target that does not exist; `ExplanationError` for a method that
  ///   the network or the target does not allow; `RuleTableError` if a method's own table does not fit the network;
  ///   `ExecutionError` if a run at another input, which integrated gradients and SmoothGrad need, is not finite.
  /// - Complexity: one backward pass per target; integrated gradients and SmoothGrad besides a run of the network per sample.
  public func explain(_ targets: [Target], by method: Method = .lrp, ledger: Bool = true) throws -> [Explanation] {
    guard !targets.isEmpty else { return [] }
    let sites = try targets.map { try Site(of: $0, in: self) }
    let maps: [Map]
    switch method {
    case .clrp1(.logits, let strength) where !hasComplement:
      maps = try normalizedContrasts(targets, strength: strength)
    case .gradCAM(let layer): maps = try classActivationMaps(of: targets, at: layer).map { Map(resizedToInput($0)) }
    case .guidedGradCAM(let layer): maps = try guidedClassActivationMaps(of: targets, at: layer)
    case .gradientTimesInput:
      maps = try propagated(targets, by: method, ledger: false).map { Map($0.values.combined(with: input, *)) }
    case .integratedGradients(let baseline, let steps):
      maps = try integratedGradients(of: targets, from: baseline, steps: steps)
    case .smoothGrad(let samples, let deviation, let seed):
      maps = try smoothGradients(of: targets, noise: noise(samples: samples, deviation: deviation, seed: seed))
    case .random(let seed): maps = targets.map { _ in Map(randomMap(seed: seed)) }
    default: maps = try propagated(targets, by: method, ledger: ledger && method.isRelevance)
    }
    for (target, map) in zip(targets, maps) { try check(map, of: target, method) }
    return zip(targets, zip(sites, maps)).map { target, pair in
      let (site, map) = pair
      var entries = map.ledger
      if !entries.isEmpty && method.isContrastive {
        let name = plan.network.graph[plan.network.input].name
        entries.append(LedgerEntry(clipping: map.values, to: map.values.positivePart, of: name))
      }
      return Explanation(
        target: target, method: method, scores: (0..<batch).map { site.score(in: self, item: $0) },
        signedRelevance: map.values, ledger: Ledger(entries), completenessErrors: map.completenessErrors)
    }
  }

  /// A map in the making.
  struct Map {
    var values: Tensor
    var ledger: [LedgerEntry] = []
    var completenessErrors: [Float]?
    init(_ values: Tensor) { self.values = values }

    var isFinite: Bool {
      values.isFinite && ledger.allSatisfy { $0.magnitudeIn.isFinite && $0.magnitudeOut.isFinite }
    }
  }

  /// Infinite values make maps of NaN, or of nothing but zeros.
  ///
  /// - Throws: `ExplanationError.notFinite` with the first node whose values are not finite, or else the one where relevance ceased to be.
  private func check(_ map: Map, of target: Target, _ method: Method) throws {
    // Infinite denominators leave nothing but zeros. Of other maps only the first elements are looked at.
    guard !map.isFinite || map.values.withUnsafeElements({ $0.allSatisfy { $0 == 0 } }) else { return }
    let graph = plan.network.graph
    var node = graph.ids.first { reaches($0) && !forward.value(of: $0).isFinite }.map { graph[$0].name }
    if map.isFinite, node == nil { return }
    if node == nil {
      let walk = try propagator(for: method.table).propagate(
        method.seeds(for: [target], in: self), count: 1, keepsLedger: true)
      node = walk.ledgers[0].first { !$0.magnitudeOut.isFinite || !$0.magnitudeIn.isFinite }?.node
    }
    throw ExplanationError.notFinite(
      target: target.description, method: method.description, node: node ?? graph[plan.network.input].name)
  }

  /// The maps of one walk per group of targets.
  func propagated(_ targets: [Target], by method: Method, ledger: Bool) throws -> [Map] {
    let propagator = try propagator(for: method.table)
    return try inGroups(targets) { group in
      let seeds = try method.seeds(for: group, in: self)
      let result = try propagated(seeds, count: group.count, by: method, propagator, ledger: ledger)
      return group.indices.map { number in
        let items = (0..<batch).map { result.relevance.part($0 * group.count + number, of: batch * group.count) }
        var map = Map(Tensor(joining: items).reshaped(to: input.shape))
        map.ledger = ledger ? result.ledgers[number] : []
        return map
      }
    }
  }

  /// One walk, or two where a single logit decides between two classes and is negative: LRP then explains it by the negated weights,
  /// which speak for the class that wins. The other class's map is the opposite either way.
  private func propagated(
    _ seeds: [Node.ID: Tensor], count: Int, by method: Method, _ propagator: Propagator, ledger: Bool
  ) throws -> Propagator.Result {
    let logits = plan.network.logits
    guard method == .lrp, hasComplement, seeds.count == 1, let own = seeds[logits],
      let negated = try negatedPropagator()
    else {
      return propagator.propagate(seeds, count: count, keepsLedger: ledger)
    }
    let values = forward.value(of: logits)
    let item = values.count / batch
    /// The seeds at logits of one sign.
    func part(whereNegative isNegative: Bool) -> [Node.ID: Tensor] {
      var chosen = own
      chosen.withUnsafeMutableElements { chosen in
        values.withUnsafeElements { values in
          for i in chosen.indices where (values[i / item / count * item + i % item] < 0) != isNegative { chosen[i] = 0 }
        }
      }
      return [logits: chosen]
    }
    func isEmpty(_ seeds: [Node.ID: Tensor]) -> Bool { seeds.values.allSatisfy { $0.largestMagnitude() == 0 } }
    let (positive, negative) = (part(whereNegative: false), part(whereNegative: true))
    if isEmpty(negative) { return propagator.propagate(seeds, count: count, keepsLedger: ledger) }
    let turned = negated.propagate(negative, count: count, keepsLedger: ledger)
    if isEmpty(positive) { return turned }
    return turned + propagator.propagate(positive, count: count, keepsLedger: ledger)
  }

  /// Takes as many targets at a time as fit into the memory budget.
  func inGroups<Result>(_ targets: [Target], _ body: ([Target]) throws -> [Result]) rethrows -> [Result] {
    // While a node is passed its relevance is there twice, and that of a branch may wait beside it.
    let largest = forward.plan.shapes.map(\.count).max() ?? 1
    let fitting = max(1, explainer.memoryBudget / (4 * largest * MemoryLayout<Float>.size))
    let size = forward.sharesWalks ? fitting : 1
    return try stride(from: 0, to: targets.count, by: size).flatMap { start in
      try body(Array(targets[start..<min(start + size, targets.count)]))
    }
  }

  /// CLRP1 with the dual of the released code: `R / ΣR − λ R_dual / ΣR_dual`, where the dual starts with the others' |logits|.
  private func normalizedContrasts(_ targets: [Target], strength: Float) throws -> [Map] {
    let propagator = try propagator(for: .explainers)
    return try inGroups(targets) { group in
      // Targets first, then their duals.
      var seeds = SeedBuilder(trace: self, count: 2 * group.count)
      for (number, target) in group.enumerated() {
        let site = try Site(of: target, in: self)
        let own = try Method.clrp1.requiredClass(of: site)
        for item in 0..<batch {
          let scores = scores(item)
          seeds.add(site.values(in: self, item: item), at: site, item, number)
          for place in site.places[item] {
            let others = (0..<classes).filter { $0 != own }
            seeds.add(
              others.map { (class: $0, place: place, value: abs(scores[$0, place])) }, item, group.count + number)
          }
        }
      }
      let result = propagator.propagate(seeds.tensors, count: 2 * group.count, keepsLedger: false)
      func shares(_ item: Int, _ number: Int) -> Tensor {
        let map = result.relevance.part(item * 2 * group.count + number, of: batch * 2 * group.count)
        let sum = map.sum()
        return map.map { sum == 0 ? 0 : Float(Double($0) / sum) }
      }
      return group.indices.map { number in
        let items = (0..<batch).map { item in
          shares(item, number).combined(with: shares(item, group.count + number)) { $0 - strength * $1 }
        }
        return Map(Tensor(joining: items).reshaped(to: input.shape))
      }
    }
  }
}
