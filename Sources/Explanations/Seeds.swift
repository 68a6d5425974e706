import RelevanceNetworks
import RelevanceTensors

/// The relevance that a propagation starts with: for each item of a batch and each target, signed values at elements of
/// nodes.
///
/// Propagation is linear, so `R − λ·R_dual` takes one backward pass that starts with the difference of both seeds.
public struct Seeds: Sendable {
  /// For each node, a tensor with one row per item and target.
  private(set) var tensors: [Node.ID: Tensor] = [:]
  private let rows: Int

  /// Calls `body` for each target and each item of the batch.
  ///
  /// - Throws: `RelevanceKitError` for a target that does not exist, and errors of `body`.
  public init(of targets: [Target], in trace: Trace, _ body: (inout TargetSeed) throws -> Void) throws {
    rows = trace.batch * targets.count
    try add(targets.map { try Site(of: $0, in: trace) }, in: trace, body)
  }

  /// Empty seeds for a number of targets.
  init(targets: Int, in trace: Trace) { rows = trace.batch * targets }

  /// Adds the values that `body` computes for each target.
  mutating func add(_ sites: [Site], in trace: Trace, _ body: (inout TargetSeed) throws -> Void) rethrows {
    for (number, site) in sites.enumerated() {
      for item in 0..<trace.batch {
        var start = TargetSeed(site, number, item, in: trace)
        try body(&start)
        let row = item * sites.count + number
        func count(_ node: Node.ID) -> Int { trace.forward.shape(of: node).count / trace.batch }
        if !start.own.isEmpty { add(start.own, at: site.nodes[item], of: count(site.nodes[item]), row) }
        for (node, values) in start.classes { add(values, at: node, of: count(node), row) }
      }
    }
  }

  /// Adds values to elements of a node's output in the row of one target and item, which has `count` elements.
  mutating func add(_ values: some Sequence<(Int, Float)>, at node: Node.ID, of count: Int, _ row: Int) {
    var tensor = tensors.removeValue(forKey: node) ?? Tensor(shape: [rows, count])
    tensor.withUnsafeMutableElements { seed in
      for (element, value) in values { seed[row * count + element] += value }
    }
    tensors[node] = tensor
  }
}

/// One target in one item of a batch, while its seeds are created.
public struct TargetSeed {
  /// The index of the target among the targets that are explained together, from 0.
  public let number: Int
  /// The item of the batch, from 0.
  public let item: Int
  /// The share of each element in the target's score: for a class its logit, for a region its logits divided by their
  /// number, for a unit its activations, and for a cosine its summands.
  public let scores: [Float]
  /// The derivative of the target's score with respect to each element: 1, or −1 for the negative side of a single
  /// logit; for a region divided by the number of positions.
  public let signs: [Float]
  let site: Site
  private let trace: Trace
  fileprivate var own: [(Int, Float)] = []
  fileprivate var classes: [Node.ID: [(Int, Float)]] = [:]

  init(_ site: Site, _ number: Int, _ item: Int, in trace: Trace) {
    (self.site, self.number, self.item) = (site, number, item)
    (scores, signs) = site.shares(in: trace, item: item)
    self.trace = trace
  }

  /// The positions (counted row by row) at which the elements are scores of the target's class; empty for a unit.
  public var places: [Int] { site.places[item] }

  /// The explained class.
  ///
  /// - Throws: `RelevanceKitError` for a unit or a cosine, which have no alternative classes.
  public func requiredClass(by method: some AttributionMethod) throws -> Int {
    if case .cosine = site.kind { throw ExplanationError.needsUnit(method: method.name) }
    guard let index = site.classIndices[item] else { throw ExplanationError.needsClass(method: method.name) }
    return index
  }

  /// Adds to the relevance of the target's elements, one value per element.
  public mutating func add(_ values: [Float]) { own += zip(site.elements[item], values) }

  /// Adds to the relevance of a class at a position (counted row by row).
  public mutating func add(_ value: Float, toClass index: Int, at place: Int) {
    // If the target's own elements are logits, the other classes' elements are logits too.
    let source = trace.scoreSource(ofClass: index, at: place, item: item, asProbability: !site.areLogits)
    classes[source.node, default: []].append((source.element, value))
  }
}
