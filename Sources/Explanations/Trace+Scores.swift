import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension Trace {
  /// The items of the batch.
  var items: Range<Int> { 0..<batch }

  /// The place where a class's score is computed.
  struct ScoreSource {
    let node: Node.ID
    /// The index of the element within an item of the node's output.
    let element: Int
    /// Whether the element is a logit, as far as the graph shows.
    let isLogit: Bool
  }

  /// Finds the score of a class at a position (counted row by row). If the network ends in a sigmoid or softmax, this
  /// is the logit before it, unless the logit cannot be reached or `asProbability` is true.
  func scoreSource(ofClass index: Int, at place: Int, item: Int, asProbability: Bool = false) -> ScoreSource {
    let logits = plan.network.logits
    let element = layout.element(ofClass: index, at: place)
    guard layout.areProbabilities else { return ScoreSource(node: logits, element: element, isLogit: true) }
    let own = forward.shape(of: logits).count / batch
    if !asProbability, let found = logitSources.source(of: item * own + element), reaches(found.node) {
      let count = forward.shape(of: found.node).count / batch
      // The items are consecutive at this node as well.
      if found.element / count == item {
        return ScoreSource(node: found.node, element: found.element % count, isLogit: true)
      }
    }
    return ScoreSource(node: logits, element: element, isLogit: false)
  }

  /// The logits from which a sigmoid or softmax computes some elements of the first item, if all of these logits are at
  /// one node.
  func logits(of elements: [Int], at node: Node.ID) -> (node: Node.ID, elements: [Int])? {
    let found = elements.map { logitSources.source(of: $0, at: node) }
    guard let first = found.first??.node, reaches(first), found.allSatisfy({ $0?.node == first }) else { return nil }
    let count = forward.shape(of: first).count / batch
    let inside = found.compactMap { $0?.element }.filter { $0 < count }
    return inside.count == elements.count ? (first, inside) : nil
  }

  /// The score of a class at a position of an item, as used in explanations.
  func score(ofClass index: Int, at place: Int, item: Int) -> Float {
    let source = scoreSource(ofClass: index, at: place, item: item)
    let value = forward.value(of: source.node)
    return layout.sign(ofClass: index)
      * value.withUnsafeElements { $0[item * (value.count / batch) + source.element] }
  }

  /// The boxes of an item, by descending confidence: the most likely class at each position. Available for detectors,
  /// where classes have scores at positions that are candidates. Overlapping boxes are included.
  ///
  /// - Throws: `RelevanceKitError` if there is no such item, or if the network is not a detector.
  /// - Complexity: O(classes × positions) on the first call, then O(1).
  public func boxes(ofItem item: Int) throws -> [Candidate] {
    guard items.contains(item) else { throw ExplanationError.noSuchItem(item, items: batch) }
    guard layout.isOfCandidates else { throw ExplanationError.noBoxes(layout: layout.description) }
    return choices.boxes(ofItem: item) {
      Candidate.boxes(in: scores(of: item), objectness: objectness(ofItem: item), layout: layout)
    }.map { candidate in
      var candidate = candidate
      candidate.box = box(ofItem: item, at: candidate.place)
      return candidate
    }
  }

  /// For each item, the box with a rank, from 1.
  func boxes(ofRank rank: Int) throws -> [Candidate] {
    try items.map { item in
      let boxes = try boxes(ofItem: item)
      guard rank >= 1, rank <= boxes.count else { throw ExplanationError.noSuchBox(rank, boxes: boxes.count) }
      return boxes[rank - 1]
    }
  }

  /// The box at a position, if the network outputs boxes.
  private func box(ofItem item: Int, at place: Int) -> [Float]? {
    let network = plan.network
    if let own = layout.box(ofItem: forward.value(of: network.logits).part(item, of: batch), at: place) { return own }
    guard let id = network.graph.boxes else { return nil }
    let boxes = forward.value(of: id).part(item, of: batch)
    let count = layout.positionCount
    guard boxes.count == 4 * count else { return nil }
    // Batch × positions × 4, or batch × 4 × positions.
    let isLast = forward.shape(of: id)[-1] == 4
    return boxes.withUnsafeElements { boxes in
      (0..<4).map { isLast ? boxes[place * 4 + $0] : boxes[$0 * count + place] }
    }
  }
}

extension Trace {
  /// For each item of the batch, the classes that have the largest score at some position, by descending number of
  /// positions.
  ///
  /// - Complexity: O(batch × classes × positions) on the first call, then O(1).
  public var regions: [[ClassRegion]] {
    items.map { item in
      choices.regions(ofItem: item) { ClassRegion.all(in: scores(of: item), layout: layout) }
    }
  }

  /// For each item of the batch, the best candidate of each class, best first. Available if classes have scores at
  /// several positions.
  ///
  /// - Complexity: O(batch × classes × positions).
  public var candidates: [[Candidate]] { (0..<batch).map { candidates(ofItem: $0) } }

  func candidates(ofItem item: Int) -> [Candidate] {
    Candidate.all(in: scores(of: item), objectness: objectness(ofItem: item), layout: layout)
  }

  /// For each position, the probability that it contains any object; nil if the network does not output it.
  package func objectness(ofItem item: Int) -> [Float]? {
    layout.objectness(ofItem: forward.value(of: explainer.network.logits).part(item, of: batch))
  }

  /// The run at another input, with the regions and boxes of this run, so that a method that uses many inputs explains
  /// the same scores in all of them.
  func trace(at input: Tensor, for targets: [Target]) throws -> Trace {
    var other = try explainer.trace(input)
    other.passages = passages
    for target in targets {
      switch target {
      case .region where layout.hasPositions: _ = regions
      case .box(let rank): _ = try boxes(ofRank: rank)
      default: continue
      }
      other.choices = choices
    }
    return other
  }
}

/// The regions and boxes of each item of a batch, each computed on first use.
final class OutputChoices: Sendable {
  private let regions = Cache<Int, [ClassRegion]>()
  private let boxes = Cache<Int, [Candidate]>()

  func regions(ofItem item: Int, find: () -> [ClassRegion]) -> [ClassRegion] { regions.value(for: item, make: find) }
  func boxes(ofItem item: Int, find: () -> [Candidate]) -> [Candidate] { boxes.value(for: item, make: find) }
}
