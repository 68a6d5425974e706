import RelevanceNetworks
import RelevanceTensors

/// A class at one of several candidate positions, such as the anchors of a detector or the time steps of a recognizer.
public struct Candidate: Sendable, Hashable, Codable {
  /// The number of the class, from 0.
  public let classIndex: Int
  /// The position, counted row by row (`ScoreLayout.coordinates(ofPosition:)`).
  public let place: Int
  /// The score of the class at this position.
  public let score: Float
  /// The probability of the class; nil if the output is a quantity.
  public let probability: Double?
  /// The probability that the position contains any object; nil if the network does not output it.
  public let objectness: Double?

  /// The four numbers of the box at this position, as the network outputs them; nil if it does not output boxes or this
  /// output was not read.
  public internal(set) var box: [Float]?

  /// The value by which candidates are ranked: the product of both probabilities, or the score if there is no
  /// probability.
  public var confidence: Double { (probability ?? Double(score)) * (objectness ?? 1) }

  /// For each class except the background, the best candidate, by descending confidence. Candidates with equal
  /// confidence are ordered by class number.
  ///
  /// The background is the class that the layout declares. If the layout declares none and the classes are alternatives
  /// without an objectness, it is the class with the largest score at more than half of the positions, provided that
  /// another class has the largest score somewhere. Most anchors contain no object, and most time steps contain no
  /// character.
  ///
  /// - Parameters:
  ///   - scores: classes × positions, as `ScoreLayout.scores(ofItem:)` arranges them.
  ///   - objectness: a value for each position, as `ScoreLayout.objectness(ofItem:)` returns it.
  ///   - layout: the decision that the scores encode.
  /// - Complexity: O(classes × positions).
  public static func all(in scores: Tensor, objectness: [Float]?, layout: ScoreLayout) -> [Candidate] {
    var best = [Candidate?](repeating: nil, count: layout.classes)
    forEach(in: scores, objectness: objectness, layout: layout) { candidate in
      if best[candidate.classIndex].map({ $0.isLess(than: candidate) }) ?? true {
        best[candidate.classIndex] = candidate
      }
    }
    return best.compactMap { $0 }.sorted {
      ($1.confidence, $1.score, $0.classIndex) < ($0.confidence, $0.score, $1.classIndex)
    }
  }

  /// For each position, its most likely class, by descending confidence. Candidates with equal confidence are ordered
  /// by position. The background is left out. Candidates of the same object are not suppressed.
  ///
  /// - Complexity: O(classes × positions + positions log positions).
  public static func boxes(in scores: Tensor, objectness: [Float]?, layout: ScoreLayout) -> [Candidate] {
    var best = [Candidate?](repeating: nil, count: layout.positionCount)
    forEach(in: scores, objectness: objectness, layout: layout) { candidate in
      if best[candidate.place].map({ $0.isLess(than: candidate) }) ?? true { best[candidate.place] = candidate }
    }
    return best.compactMap { $0 }.sorted {
      ($1.confidence, $1.score, $0.place) < ($0.confidence, $0.score, $1.place)
    }
  }

  /// Compares confidences. Probabilities that round to 1 are compared by their logits.
  private func isLess(than other: Candidate) -> Bool { (confidence, score) < (other.confidence, other.score) }

  /// Calls `body` for all classes except the background at all positions.
  private static func forEach(
    in scores: Tensor, objectness: [Float]?, layout: ScoreLayout, _ body: (Candidate) -> Void
  ) {
    let background = background(in: scores, layout: layout)
    for place in 0..<layout.positionCount {
      let column = Prediction.column(scores, place)
      let probabilities = Prediction.probabilities(column, layout: layout)
      for index in column.indices where index != background {
        body(
          Candidate(
            classIndex: index, place: place, score: column[index], probability: probabilities?[index],
            objectness: objectness.map { Double($0[place]) }))
      }
    }
  }

  /// The class that represents the absence of an object; nil if none is known.
  public static func background(in scores: Tensor, layout: ScoreLayout) -> Int? {
    if let background = layout.background { return background }
    guard layout.isOfCandidates, layout.decision == .oneClass, layout.classes > 1, !layout.hasObjectness else {
      return nil
    }
    let regions = ClassRegion.all(in: scores, layout: layout)
    return regions.count > 1 && regions[0].share > 0.5 ? regions[0].classIndex : nil
  }
}
