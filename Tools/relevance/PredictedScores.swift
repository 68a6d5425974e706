import Foundation
import RelevanceKit

/// What a network predicts for one input, as the tools show it: classes, regions, or a quantity.
struct PredictedScores: Encodable {
  /// A class and its score.
  struct ClassScore: Encodable {
    let classIndex: Int
    let label: String?
    let logit: Float
    /// Nil for a quantity.
    let probability: Double?
  }

  /// A class and the positions at which it has the largest score.
  struct RegionScore: Encodable {
    let classIndex: Int
    let label: String?
    let share: Double
    let meanLogit: Double
    let meanProbability: Double?
  }

  /// The best classes; empty where classes have scores at several positions.
  let predictions: [ClassScore]
  /// The classes with the largest regions; nil where classes have one score each.
  let regions: [RegionScore]?
  /// The extents of the axes of positions.
  private let positions: [Int]

  private enum CodingKeys: CodingKey {
    case predictions, regions
  }

  /// - Parameters:
  ///   - scores: classes × positions.
  ///   - top: how many classes.
  init(_ scores: Tensor, layout: ScoreLayout, labels: Labels?, top: Int) {
    positions = layout.positions
    guard layout.hasPositions else {
      predictions = Prediction.ranking(scores, layout: layout).prefix(top).map {
        ClassScore(
          classIndex: $0.classIndex, label: labels?[$0.classIndex], logit: $0.logit, probability: $0.probability)
      }
      regions = nil
      return
    }
    predictions = []
    regions = ClassRegion.all(in: scores, layout: layout).prefix(top).map {
      RegionScore(
        classIndex: $0.classIndex, label: labels?[$0.classIndex], share: $0.share, meanLogit: $0.meanLogit,
        meanProbability: $0.meanProbability)
    }
  }

  /// A line for each class, for people.
  var lines: [String] { regions?.map { $0.line(positions) } ?? predictions.map(\.line) }
}

extension PredictedScores.ClassScore {
  /// Probability, logit, class and name, for people; of a quantity its value.
  var line: String {
    let name = label.map { "  \($0)" } ?? ""
    guard let probability else { return String(format: "value %8.3f", logit) + name }
    return String(format: "%6.2f %%  logit %8.3f  class:%d", probability * 100, logit, classIndex) + name
  }
}

extension PredictedScores.RegionScore {
  /// Share of the positions, mean logit, class and name, for people.
  func line(_ positions: [Int]) -> String {
    let extents = positions.map(String.init).joined(separator: "×")
    return String(
      format: "%6.2f %% of %@ positions  mean logit %8.3f  region:%d", share * 100, extents, meanLogit, classIndex)
      + (label.map { "  \($0)" } ?? "")
  }
}
