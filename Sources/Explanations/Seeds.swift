import Networks
import Tensors

/// Where relevance starts: for each item of a batch and each target signed values at elements of nodes.
///
/// Propagation is linear, so `R − λ·R_dual` is one walk with the difference of both seeds.
public struct Seeds: Sendable {
  /// By node, for each item of the batch one item per target.
  private(set) var tensors: [Node.ID: Tensor] = [:]
  private let rows: Int

  /// Calls `body` for each target and each item of the batch.
  ///
  /// - Throws: `RelevanceKitError` for a target that does not exist, and what `body` throws.
  public init(of targets: [Target], in trace: Trace, _ body: (inout TargetSeed) throws -> Void) throws {
    rows = trace.batch * targets.count
    try add(targets.map { try Site(of: $0, in: trace) }, in: trace, body)
  }

  /// Nothing yet, for some targets.
  init(targets: Int, in trace: Trace) { rows = trace.batch * targets }

  /// Adds what `body` gives to each of some targets.
  mutating func add(_ sites: [Site], in trace: Trace, _ body: (inout TargetSeed) throws -> Void) rethrows {
    for (number, site) in sites.enumerated() {
      for item in 0..<trace.batch {
        var start = TargetSeed(site, number, item, in: trace)
        try body(&start)
        let row = item * sites.count + number
        if !start.own.isEmpty { add(start.own, at: site.node, of: site.item, row) }
        if start.classes.isEmpty { continue }
        let logits = trace.plan.network.logits
        add(start.classes, at: logits, of: trace.forward.shape(of: logits).count / trace.batch, row)
      }
    }
  }

  /// Adds to elements of a node's output for one target and item, which are a row of `count` elements.
  mutating func add(_ values: some Sequence<(Int, Float)>, at node: Node.ID, of count: Int, _ row: Int) {
    var tensor = tensors.removeValue(forKey: node) ?? Tensor(shape: [rows, count])
    tensor.withUnsafeMutableElements { seed in
      for (element, value) in values { seed[row * count + element] += value }
    }
    tensors[node] = tensor
  }
}

/// One target in one item of a batch, while its seeds are made.
public struct TargetSeed {
  /// The number of the target among those that are explained together, from 0.
  public let number: Int
  /// The item of the batch, from 0.
  public let item: Int
  /// The scores of the target's elements: of a class its logits, of a unit its activations.
  public let scores: [Float]
  let site: Site
  private let layout: ScoreLayout
  fileprivate var own: [(Int, Float)] = []
  fileprivate var classes: [(Int, Float)] = []

  init(_ site: Site, _ number: Int, _ item: Int, in trace: Trace) {
    (self.site, self.number, self.item) = (site, number, item)
    scores = site.values(in: trace, item: item)
    layout = trace.layout
  }

  /// For each of the target's elements 1, or −1 for the negative side of a single logit: the derivative of its score.
  ///
  /// - Complexity: O(elements).
  public var signs: [Float] { scores.map { _ in site.sign } }
  /// The positions, counted row by row, at which the elements are scores of the target's class; of a unit none.
  public var places: [Int] { site.places.isEmpty ? [] : site.places[item] }

  /// The class that is explained.
  ///
  /// - Throws: `RelevanceKitError` for a unit: it has no siblings that are alternatives to it.
  public func requiredClass(by method: some AttributionMethod) throws -> Int {
    guard let index = site.classIndex else { throw ExplanationError.needsClass(method: method.name) }
    return index
  }

  /// Adds to the relevance of the target's elements, one value for each.
  public mutating func add(_ values: [Float]) { own += zip(site.elements[item], values) }

  /// Adds to the relevance of a class at a position, which is counted row by row.
  public mutating func add(_ value: Float, toClass index: Int, at place: Int) {
    classes.append((layout.element(ofClass: index, at: place), value))
  }
}
