import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension Trace {
  /// The items of the batch.
  var items: Range<Int> { 0..<batch }

  /// Where the score of a class is.
  struct ScoreSource {
    let node: Node.ID
    /// The element of an item of the node's output.
    let element: Int
    /// Whether that is a logit, as far as can be told.
    let isLogit: Bool
  }

  /// Where the score of a class at a position is found, which is counted row by row: the logit behind a sigmoid or softmax that lies before the
  /// network's end, if it can be reached and is not wanted as a probability.
  func scoreSource(ofClass index: Int, at place: Int, item: Int, asProbability: Bool = false) -> ScoreSource {
    let logits = plan.network.logits
    let element = layout.element(ofClass: index, at: place)
    guard layout.areProbabilities else { return ScoreSource(node: logits, element: element, isLogit: true) }
    let own = forward.shape(of: logits).count / batch
    if !asProbability, let found = logitSources.source(of: item * own + element), reaches(found.node) {
      let count = forward.shape(of: found.node).count / batch
      // The items lie one after the other there as well.
      if found.element / count == item {
        return ScoreSource(node: found.node, element: found.element % count, isLogit: true)
      }
    }
    return ScoreSource(node: logits, element: element, isLogit: false)
  }

  /// The logits behind the sigmoid or softmax of which some elements of the first item are, if all of them are found at one node.
  func logits(of elements: [Int], at node: Node.ID) -> (node: Node.ID, elements: [Int])? {
    let found = elements.map { logitSources.source(of: $0, at: node) }
    guard let first = found.first??.node, reaches(first), found.allSatisfy({ $0?.node == first }) else { return nil }
    let count = forward.shape(of: first).count / batch
    let inside = found.compactMap { $0?.element }.filter { $0 < count }
    return inside.count == elements.count ? (first, inside) : nil
  }

  /// The score of a class at a position of an item, as it is explained.
  func score(ofClass index: Int, at place: Int, item: Int) -> Float {
    let source = scoreSource(ofClass: index, at: place, item: item)
    let value = forward.value(of: source.node)
    return layout.sign(ofClass: index)
      * value.withUnsafeElements { $0[item * (value.count / batch) + source.element] }
  }

  /// The boxes of an item, for each position the most likely class, by falling confidence: where classes have scores at positions that are
  /// candidates, as a detector's. Boxes that overlap others are there too.
  ///
  /// - Throws: `RelevanceKitError` if there is no such item, or the network is no detector.
  /// - Complexity: O(classes × positions) at the first request, then O(1).
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

  /// For each item the box of a rank, from 1.
  func boxes(ofRank rank: Int) throws -> [Candidate] {
    try items.map { item in
      let boxes = try boxes(ofItem: item)
      guard rank >= 1, rank <= boxes.count else { throw ExplanationError.noSuchBox(rank, boxes: boxes.count) }
      return boxes[rank - 1]
    }
  }

  /// The box at a position, if the network gives one.
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
  /// For each item of the batch the classes that have the largest score at some position, by falling number of positions.
  ///
  /// - Complexity: O(batch × classes × positions) at the first request, then O(1).
  public var regions: [[ClassRegion]] {
    items.map { item in
      choices.regions(ofItem: item) { ClassRegion.all(in: scores(of: item), layout: layout) }
    }
  }

  /// For each item of the batch the classes' best candidates, best first: where classes have scores at several positions.
  ///
  /// - Complexity: O(batch × classes × positions).
  public var candidates: [[Candidate]] { (0..<batch).map { candidates(ofItem: $0) } }

  func candidates(ofItem item: Int) -> [Candidate] {
    Candidate.all(in: scores(of: item), objectness: objectness(ofItem: item), layout: layout)
  }

  /// For each position the probability that there is anything at all; nil where the network gives none.
  package func objectness(ofItem item: Int) -> [Float]? {
    layout.objectness(ofItem: forward.value(of: explainer.network.logits).part(item, of: batch))
  }

  /// The run at another input, in which regions and boxes are where they are in this one: a method that looks at many inputs asks all of
  /// them for the same scores.
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

/// Which parts of an output the items of a batch have chosen: regions and boxes, each found at the first request.
final class OutputChoices: Sendable {
  private let regions = Cache<Int, [ClassRegion]>()
  private let boxes = Cache<Int, [Candidate]>()

  func regions(ofItem item: Int, find: () -> [ClassRegion]) -> [ClassRegion] { regions.value(for: item, make: find) }
  func boxes(ofItem item: Int, find: () -> [Candidate]) -> [Candidate] { boxes.value(for: item, make: find) }
}
