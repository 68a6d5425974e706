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
    case .clrp1(.logits, let strength): maps = try normalisedContrasts(targets, strength: strength)
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
  }

  /// The maps of one walk per group of targets.
  func propagated(_ targets: [Target], by method: Method, ledger: Bool) throws -> [Map] {
    let propagator = try propagator(for: method.table)
    return try inGroups(targets) { group in
      let seeds = try method.seeds(for: group, in: self)
      let result = propagator.propagate(seeds, count: group.count, keepsLedger: ledger)
      return group.indices.map { number in
        var map = Map(Tensor(joining: (0..<batch).map { result.relevance.item($0 * group.count + number) }))
        map.ledger = ledger ? result.ledgers[number] : []
        return map
      }
    }
  }

  /// Takes as many targets at a time as fit into the memory budget.
  func inGroups<Result>(_ targets: [Target], _ body: ([Target]) throws -> [Result]) rethrows -> [Result] {
    // While a node is passed its relevance is there twice, and that of a branch may wait beside it.
    let largest = forward.plan.shapes.map(\.count).max() ?? 1
    let size = max(1, explainer.memoryBudget / (4 * largest * MemoryLayout<Float>.size))
    return try stride(from: 0, to: targets.count, by: size).flatMap { start in
      try body(Array(targets[start..<min(start + size, targets.count)]))
    }
  }

  /// CLRP1 with the dual of the released code: `R / ΣR − λ R_dual / ΣR_dual`, where the dual starts with the others' |logits|.
  private func normalisedContrasts(_ targets: [Target], strength: Float) throws -> [Map] {
    try inGroups(targets) { group in
      // Targets first, then their duals.
      var seeds = SeedBuilder(trace: self, count: 2 * group.count)
      for (number, target) in group.enumerated() {
        let own = try Method.clrp1.requiredClass(of: Site(of: target, in: self))
        for item in 0..<batch {
          seeds.add([logits[item, own]], atClass: own, item, number)
          for other in 0..<classes where other != own {
            seeds.add([abs(logits[item, other])], atClass: other, item, group.count + number)
          }
        }
      }
      let result = propagator.propagate(seeds.tensors, count: 2 * group.count, keepsLedger: false)
      func shares(_ item: Int, _ number: Int) -> Tensor {
        let map = result.relevance.item(item * 2 * group.count + number)
        let sum = map.sum()
        return map.map { sum == 0 ? 0 : Float(Double($0) / sum) }
      }
      return group.indices.map { number in
        Map(
          Tensor(
            joining: (0..<batch).map { item in
              shares(item, number).combined(with: shares(item, group.count + number)) { $0 - strength * $1 }
            }))
      }
    }
  }
}
