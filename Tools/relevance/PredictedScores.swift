import Foundation
import RelevanceKit

/// The prediction for one input, as the tools print it: classes, candidates, regions, or a quantity.
struct PredictedScores: Encodable {
  /// A class and its score.
  struct ClassScore: Encodable {
    let classIndex: Int
    let label: String?
    let logit: Float
    /// Nil for a quantity.
    let probability: Double?
  }

  /// A class and its region: the positions where it has the largest score.
  struct RegionScore: Encodable {
    let classIndex: Int
    let label: String?
    let share: Double
    let meanLogit: Double
    let meanProbability: Double?
  }

  /// A class at its best position.
  struct CandidateScore: Encodable {
    let classIndex: Int
    let label: String?
    let position: [Int]
    let score: Float
    /// Nil for a quantity.
    let probability: Double?
    /// Nil for networks without objectness.
    let objectness: Double?
    let confidence: Double
  }

  /// The best classes; empty if classes have scores at several positions.
  let predictions: [ClassScore]
  /// The classes with the best candidates, for example of a detector; nil if positions are no candidates.
  let candidates: [CandidateScore]?
  /// The classes with the largest regions; nil if each class has one score, or if positions are candidates.
  let regions: [RegionScore]?
  /// The extents of the axes of positions.
  let positions: [Int]
  /// Whether scores are probabilities.
  private let areProbabilities: Bool
  /// The presumed background class.
  private let background: Int?

  private enum CodingKeys: CodingKey {
    case predictions, candidates, regions
  }

  /// - Parameters:
  ///   - scores: classes × positions.
  ///   - objectness: one value for each position; nil for networks without objectness.
  ///   - layout: the layout of the scores.
  ///   - labels: the class names.
  ///   - top: the number of classes.
  init(_ scores: Tensor, objectness: [Float]?, layout: ScoreLayout, labels: Labels?, top: Int) {
    positions = layout.positions
    areProbabilities = layout.areProbabilities
    background = layout.hasPositions ? Candidate.background(in: scores, layout: layout) : nil
    guard layout.hasPositions else {
      predictions = Prediction.ranking(scores, layout: layout).prefix(top).map {
        ClassScore(
          classIndex: $0.classIndex, label: labels?[$0.classIndex], logit: $0.logit, probability: $0.probability)
      }
      (candidates, regions) = (nil, nil)
      return
    }
    predictions = []
    if layout.isOfCandidates {
      candidates = Candidate.all(in: scores, objectness: objectness, layout: layout).prefix(top).map {
        CandidateScore(
          classIndex: $0.classIndex, label: labels?[$0.classIndex], position: layout.coordinates(ofPosition: $0.place),
          score: $0.score, probability: $0.probability, objectness: $0.objectness, confidence: $0.confidence)
      }
      regions = nil
      return
    }
    candidates = nil
    regions = ClassRegion.all(in: scores, layout: layout).prefix(top).map {
      RegionScore(
        classIndex: $0.classIndex, label: labels?[$0.classIndex], share: $0.share, meanLogit: $0.meanLogit,
        meanProbability: $0.meanProbability)
    }
  }

  /// A line for each class.
  var lines: [String] {
    candidates?.map { $0.line(areProbabilities) }
      ?? regions?.map {
        $0.line(positions, areProbabilities) + ($0.classIndex == background ? "  (presumed background)" : "")
      }
      ?? predictions.map(\.line)
  }
}

extension PredictedScores.CandidateScore {
  /// Probability, its factors or the logit, class, position and name; the value of a quantity.
  func line(_ isProbability: Bool) -> String {
    let target = Target.class(classIndex, at: position).description + (label.map { "  \($0)" } ?? "")
    guard let probability else { return "value \(Double(score).inColumn)  " + target }
    let details =
      objectness.map { String(format: "  objectness %6.2f %%  class %6.2f %%", $0 * 100, probability * 100) }
      ?? (isProbability ? "" : "  logit \(Double(score).inColumn)")
    return String(format: "%6.2f %%", confidence * 100) + details + "  " + target
  }
}

extension PredictedScores.ClassScore {
  /// Probability, logit, class and name; the value of a quantity.
  var line: String {
    let name = label.map { "  \($0)" } ?? ""
    guard let probability else { return "value \(Double(logit).inColumn)\(name)" }
    return String(format: "%6.2f %%  logit ", probability * 100)
      + "\(Double(logit).inColumn)  class:\(classIndex)\(name)"
  }
}

extension PredictedScores.RegionScore {
  /// Share of the positions, mean logit or probability, class and name.
  func line(_ positions: [Int], _ areProbabilities: Bool) -> String {
    let extents = positions.map(String.init).joined(separator: "×")
    return String(
      format: "%6.2f %% of %@ positions  mean %@ %@  region:%d", share * 100, extents,
      areProbabilities ? "probability" : "logit", meanLogit.inColumn, classIndex)
      + (label.map { "  \($0)" } ?? "")
  }
}

extension Double {
  /// Three decimals, or two significant digits if three decimals would show zero.
  var withDecimals: String { String(format: self != 0 && magnitude < 0.0005 ? "%.1e" : "%.3f", self) }

  /// The same with at least eight characters.
  fileprivate var inColumn: String { String(repeating: " ", count: max(0, 8 - withDecimals.count)) + withDecimals }
}
