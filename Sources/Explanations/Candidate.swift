import RelevanceNetworks
import RelevanceTensors

/// A class, and where it is most likely to be among positions that are candidates: a detector's anchors, a recognizer's steps.
public struct Candidate: Sendable, Hashable, Codable {
  /// The class, from 0.
  public let classIndex: Int
  /// The position, counted row by row (`ScoreLayout.coordinates(ofPosition:)`).
  public let place: Int
  /// The class's score there.
  public let score: Float
  /// Its probability; nil where the output is a quantity.
  public let probability: Double?
  /// The probability that there is anything at all; nil where the network gives none.
  public let objectness: Double?

  /// The four numbers of the box there, as the network gives them; nil where it gives none, or they are an output that is not kept.
  public internal(set) var box: [Float]?

  /// What candidates are ranked by: the product of both probabilities, or the score where there is none.
  public var confidence: Double { (probability ?? Double(score)) * (objectness ?? 1) }

  /// For each class the best candidate, by falling confidence; equal ones by number. The background is left out.
  ///
  /// Background is the class that the layout says it is; else, of alternatives, the one that has the largest score at more than half of
  /// the positions, if another has it anywhere and no objectness tells: most anchors lie on no object, and most steps on no character.
  ///
  /// - Parameters:
  ///   - scores: classes × positions, as `ScoreLayout.scores(ofItem:)` arranges them.
  ///   - objectness: for each position, as `ScoreLayout.objectness(ofItem:)` gives it.
  ///   - layout: what the scores decide.
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

  /// For each position its most likely class, by falling confidence; equal ones by position. The background is left out. Candidates that
  /// lie on the same object are all there: nothing is suppressed.
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

  /// Probabilities that round to 1 are told apart by their logits.
  private func isLess(than other: Candidate) -> Bool { (confidence, score) < (other.confidence, other.score) }

  /// All classes but the background at all positions.
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

  /// The class that stands for no object; nil if none is known to.
  public static func background(in scores: Tensor, layout: ScoreLayout) -> Int? {
    if let background = layout.background { return background }
    guard layout.isOfCandidates, layout.decision == .oneClass, layout.classes > 1, !layout.hasObjectness else {
      return nil
    }
    let regions = ClassRegion.all(in: scores, layout: layout)
    return regions.count > 1 && regions[0].share > 0.5 ? regions[0].classIndex : nil
  }
}
