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
          let values = self == .contrastiveExcitationBackprop ? [1] : site.values(in: trace, item: item)
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
          seeds.add(site.values(in: trace, item: item), at: site, item, number)
          let score = site.score(in: trace, item: item)
          for (other, weight) in try dual.weights(against: own, in: trace) {
            seeds.add([-strength * score * weight], atClass: other, item, number)
          }
        case .sglrp:
          let target = try requiredClass(of: site)
          let probabilities = Prediction.probabilities(trace.logits, item: item)
          let own = probabilities[target]
          for (index, p) in probabilities.enumerated() {
            let value = index == target ? own * (1 - own) : -own * p
            seeds.add([Float(value)], atClass: index, item, number)
          }
        default:
          // 1 at the target: of a channel, at all positions.
          seeds.add(site.elements.map { _ in 1 }, at: site, item, number)
        }
      }
    }
    return seeds.tensors
  }

  /// For contrasts with the negated target: what joins below its head, and what its own seed is multiplied by.
  private func negatedTargets(_ sites: [Site], in trace: Trace) throws -> LinearHead.Negated? {
    switch self {
    case .clrp2(let kind, let strength):
      try LinearHead.negated(sites, kind, strength: strength, in: trace, by: trace.propagator)
    case .contrastiveExcitationBackprop:
      try LinearHead.negated(
        sites, .composite, strength: 1, in: trace, by: trace.propagator(for: .excitation), scores: 1)
    default: nil
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
    add(values, at: site.node, from: site.elements.lowerBound, of: site.item, item, number)
  }

  /// Adds to the relevance of a class.
  mutating func add(_ values: [Float], atClass index: Int, _ item: Int, _ number: Int) {
    add(values, at: trace.plan.network.logits, from: index, of: trace.classes, item, number)
  }

  private mutating func add(
    _ values: [Float], at node: Node.ID, from first: Int, of itemCount: Int, _ item: Int, _ number: Int
  ) {
    var tensor = tensors.removeValue(forKey: node) ?? Tensor(shape: [trace.batch * count, itemCount])
    tensor.withUnsafeMutableElements { seed in
      let start = (item * count + number) * itemCount + first
      for (offset, value) in values.enumerated() { seed[start + offset] += value }
    }
    tensors[node] = tensor
  }

  /// Adds relevance of all items and targets.
  mutating func add(_ relevance: Tensor, at node: Node.ID) {
    let sum = tensors.removeValue(forKey: node)
    tensors[node] = sum.map { $0.combined(with: relevance.reshaped(to: $0.shape), +) } ?? relevance
  }
}
