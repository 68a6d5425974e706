import Foundation
import Networks
import Propagation
import Tensors

extension Method {
  /// Where relevance starts, by node: for each item of the batch one item per target.
  ///
  /// Propagation is linear, so `R − λ·R_dual` is one pass with signed seeds; CLRP2's dual joins below the head.
  func seeds(for targets: [Target], in trace: Trace) throws -> [Node.ID: Tensor] {
    let sites = try targets.map { try Site(of: $0, in: trace) }
    var seeds = SeedBuilder(trace: trace, count: targets.count)
    if let negated = try negatedTargets(sites, in: trace) {
      for (node, tensor) in negated.duals { seeds.add(tensor, at: node) }
      for (number, site) in sites.enumerated() {
        for item in 0..<trace.batch {
          let values = negated.scores.map { $0[number][item] } ?? site.values(in: trace, item: item)
          seeds.add(values.map { $0 * negated.factors[number] }, at: site, item, number)
        }
      }
      return seeds.tensors
    }
    for (number, site) in sites.enumerated() {
      for item in 0..<trace.batch {
        switch self {
        case .lrp: seeds.add(site.values(in: trace, item: item), at: site, item, number)
        case .clrp1(let dual, let strength):
          let own = try requiredClass(of: site)
          let scores = site.values(in: trace, item: item)
          seeds.add(scores, at: site, item, number)
          let weights = try dual.weights(against: own, in: trace)
          // At each position against the other classes there.
          let duals = zip(site.places[item], scores).flatMap { place, score in
            weights.map { (class: $0.class, place: place, value: -strength * score * $0.weight) }
          }
          seeds.add(duals, item, number)
        case .sglrp:
          let target = try requiredClass(of: site)
          for place in site.places[item] {
            let probabilities = trace.softmax(item: item, place: place)
            let own = probabilities[target]
            let values = probabilities.enumerated().map { index, p in
              (class: index, place: place, value: Float(index == target ? own * (1 - own) : -own * p))
            }
            seeds.add(values, item, number)
          }
        default:
          // 1 at the target: of a channel, at all positions.
          seeds.add(site.elements[item].map { _ in site.sign }, at: site, item, number)
        }
      }
    }
    return seeds.tensors
  }

  /// For contrasts with the negated target: what joins below its head, and what its own seed is multiplied by.
  ///
  /// Where a single logit decides between two classes, the other class is the negated target, whatever the contrast.
  private func negatedTargets(_ sites: [Site], in trace: Trace) throws -> LinearHead.Negated? {
    func negated(_ head: Head, strength: Float, scores: [[[Float]]]? = nil) throws -> LinearHead.Negated {
      try LinearHead.negated(
        sites, head, strength: strength, in: trace, by: trace.propagator(for: table), scores: scores)
    }
    let ones = sites.map { $0.elements.map { $0.map { _ in Float(1) } } }
    switch self {
    case .clrp2(let kind, let strength): return try negated(kind, strength: strength)
    case .contrastiveExcitationBackprop: return try negated(.composite, strength: 1, scores: ones)
    case .clrp1(let dual, let strength) where trace.hasComplement:
      if case .classes(let classes) = dual {
        for site in sites {
          // What is asked for is looked at all the same.
          _ = try Method.Dual.classes(classes).weights(against: requiredClass(of: site), in: trace)
        }
      }
      for site in sites { _ = try requiredClass(of: site) }
      return try negated(.composite, strength: strength, scores: dual == .logits ? ones : nil)
    case .sglrp where trace.hasComplement:
      let scores = try sites.map { site in
        let index = try requiredClass(of: site)
        return (0..<trace.batch).map { item in
          site.places[item].map {
            let p = Float(trace.probability(ofClass: index, item: item, place: $0))
            return p * (1 - p)
          }
        }
      }
      return try negated(.composite, strength: 1, scores: scores)
    default: return nil
    }
  }

  /// - Throws: `ExplanationError.needsClass` for a unit: it has no siblings that are alternatives to it.
  func requiredClass(of site: Site) throws -> Int {
    guard let index = site.classIndex else { throw ExplanationError.needsClass(method: name) }
    return index
  }
}

extension Method.Dual {
  /// The classes of the dual and the parts of the score that they get.
  func weights(against own: Int, in trace: Trace) throws -> [(class: Int, weight: Float)] {
    switch self {
    case .others:
      let others = (0..<trace.classes).filter { $0 != own }
      return others.map { ($0, 1 / Float(others.count)) }
    case .classes(let classes):
      for index in classes where !(0..<trace.classes).contains(index) {
        throw ExplanationError.noSuchClass(index, classes: trace.classes)
      }
      let others = classes.filter { $0 != own }
      guard !others.isEmpty else { throw ExplanationError.contrastWithItself(own) }
      return others.map { ($0, 1 / Float(others.count)) }
    case .logits: return []
    }
  }
}

/// Seeds in the making.
struct SeedBuilder {
  private let trace: Trace
  private let count: Int
  private(set) var tensors: [Node.ID: Tensor] = [:]

  init(trace: Trace, count: Int) {
    self.trace = trace
    self.count = count
  }

  /// Adds to the relevance of a target's elements.
  mutating func add(_ values: [Float], at site: Site, _ item: Int, _ number: Int) {
    add(zip(site.elements[item], values), at: site.node, of: site.item, item, number)
  }

  /// Adds to the relevance of classes at positions, which are counted row by row.
  mutating func add(_ values: [(class: Int, place: Int, value: Float)], _ item: Int, _ number: Int) {
    let (logits, layout) = (trace.plan.network.logits, trace.layout)
    add(
      values.map { (layout.element(ofClass: $0.class, at: $0.place), $0.value) }, at: logits,
      of: trace.forward.shape(of: logits).count / trace.batch, item, number)
  }

  private mutating func add(
    _ values: some Sequence<(Int, Float)>, at node: Node.ID, of itemCount: Int, _ item: Int, _ number: Int
  ) {
    var tensor = tensors.removeValue(forKey: node) ?? Tensor(shape: [trace.batch * count, itemCount])
    tensor.withUnsafeMutableElements { seed in
      let start = (item * count + number) * itemCount
      for (element, value) in values { seed[start + element] += value }
    }
    tensors[node] = tensor
  }

  /// Adds relevance of all items and targets.
  mutating func add(_ relevance: Tensor, at node: Node.ID) {
    let sum = tensors.removeValue(forKey: node)
    tensors[node] = sum.map { $0.combined(with: relevance.reshaped(to: $0.shape), +) } ?? relevance
  }
}
