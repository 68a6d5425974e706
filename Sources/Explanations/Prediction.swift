import Foundation
import RelevanceNetworks
import RelevanceTensors

/// A class with its score and probability.
public struct Prediction: Sendable, Hashable, Codable {
  /// The number of the class, from 0.
  public let classIndex: Int
  /// The logit of the class, or its score if the output has probabilities only (`ScoreLayout.areProbabilities`).
  public let logit: Float
  /// The probability of the class: the softmax of the logits, or the sigmoid of its logit if classes are decided
  /// independently; nil if the output is a quantity. If the network ends in an unknown operator whose outputs already
  /// are probabilities, they are used unchanged.
  public let probability: Double?

  /// The classes of an item in descending order of their logits. Classes with equal logits are ordered by number.
  ///
  /// - Parameters:
  ///   - scores: classes × positions, as `ScoreLayout.scores(ofItem:)` arranges them.
  ///   - layout: the decision that the scores encode.
  ///   - place: the position, counted row by row; 0 if there are no positions.
  /// - Complexity: O(classes log classes).
  public static func ranking(_ scores: Tensor, layout: ScoreLayout, place: Int = 0) -> [Prediction] {
    let logits = column(scores, place)
    let probabilities = probabilities(scores, layout: layout, place: place)
    return logits.indices
      .map { Prediction(classIndex: $0, logit: logits[$0], probability: probabilities?[$0]) }
      .sorted { ($1.logit, $0.classIndex) < ($0.logit, $1.classIndex) }
  }

  /// The probability of each class at a position; nil if the output is a quantity.
  package static func probabilities(_ scores: Tensor, layout: ScoreLayout, place: Int = 0) -> [Double]? {
    probabilities(column(scores, place), layout: layout)
  }

  /// The probability of each class from the scores of all classes at a position; nil if the output is a quantity.
  static func probabilities(_ logits: [Float], layout: ScoreLayout) -> [Double]? {
    if layout.areProbabilities || layout.otherChannels > 0 && logits.allSatisfy({ (0...1).contains($0) }) {
      return logits.map(Double.init)
    }
    switch layout.decision {
    case .oneClass:
      return layout.endsInActivation || !areProbabilities(logits) ? softmax(logits) : logits.map(Double.init)
    case .eachClass, .twoClasses: return logits.map { 1 / (1 + exp(-Double($0))) }
    case .quantity: return nil
    }
  }

  package static func softmax(_ logits: [Float]) -> [Double] {
    let largest = logits.max() ?? 0
    let exponentials = logits.map { exp(Double($0 - largest)) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// Whether values are probabilities of alternatives: nonnegative values that sum to 1.
  private static func areProbabilities(_ values: [Float]) -> Bool {
    values.count > 1 && values.allSatisfy { $0 >= 0 } && abs(values.reduce(0) { $0 + Double($1) } - 1) < 1e-3
  }

  /// The scores of all classes at a position.
  static func column(_ scores: Tensor, _ place: Int) -> [Float] {
    let positions = scores.shape[1]
    return scores.withUnsafeElements { scores in (0..<scores.count / positions).map { scores[$0 * positions + place] } }
  }
}

/// A class and the positions at which its score is the largest.
public struct ClassRegion: Sendable, Hashable, Codable {
  /// The number of the class, from 0.
  public let classIndex: Int
  /// The positions, counted row by row (`ScoreLayout.coordinates(ofPosition:)`).
  public let places: [Int]
  /// The fraction of all positions.
  public let share: Double
  /// The mean of the class's logits at these positions.
  public let meanLogit: Double
  /// The mean of the class's probabilities at these positions; nil if the output is a quantity.
  public let meanProbability: Double?

  /// The classes that have the largest score at some position, by descending number of positions, then by class number.
  /// If several classes share the largest score at a position, the first class gets the position.
  ///
  /// - Parameters:
  ///   - scores: classes × positions, as `ScoreLayout.scores(ofItem:)` arranges them.
  ///   - layout: the decision that the scores encode.
  /// - Complexity: O(classes × positions).
  public static func all(in scores: Tensor, layout: ScoreLayout) -> [ClassRegion] {
    let count = layout.positionCount
    let winners = scores.withUnsafeElements { scores in
      (0..<count).map { place in
        (1..<max(layout.classes, 1)).reduce(0) { scores[$1 * count + place] > scores[$0 * count + place] ? $1 : $0 }
      }
    }
    let places = Dictionary(grouping: winners.indices, by: { winners[$0] })
    return places.map { index, places in
      let logits = scores.withUnsafeElements { scores in places.map { Double(scores[index * count + $0]) } }
      let probabilities = places.compactMap { Prediction.probabilities(scores, layout: layout, place: $0)?[index] }
      return ClassRegion(
        classIndex: index, places: places, share: Double(places.count) / Double(count),
        meanLogit: logits.reduce(0, +) / Double(places.count),
        meanProbability: probabilities.isEmpty ? nil : probabilities.reduce(0, +) / Double(places.count))
    }.sorted { ($1.places.count, $0.classIndex) < ($0.places.count, $1.classIndex) }
  }
}

extension Trace {
  /// The scores of the first item.
  package var classScores: ClassScores { ClassScores(scores(of: 0), layout: layout) }
}

/// The logits and probabilities of all classes for one input; if classes have scores at several positions, those at the
/// first position.
package struct ClassScores: Sendable {
  package let logits: [Float]
  /// The probability of each class; 1 for a quantity, which has no probability.
  package let probabilities: [Double]

  init(_ scores: Tensor, layout: ScoreLayout) {
    logits = Prediction.column(scores, 0)
    probabilities = Prediction.probabilities(scores, layout: layout) ?? logits.map { _ in 1 }
  }

  /// The class with the largest logit; the first one if several are equal.
  package var best: Int { logits.indices.max { (logits[$0], $1) < (logits[$1], $0) } ?? 0 }
}
