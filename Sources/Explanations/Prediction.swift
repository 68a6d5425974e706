import Foundation
import RelevanceNetworks
import RelevanceTensors

/// A class and how strongly the network supports it.
public struct Prediction: Sendable, Hashable, Codable {
  /// The class, from 0.
  public let classIndex: Int
  /// Its logit, or the score in its place (`ScoreLayout.areProbabilities`).
  public let logit: Float
  /// Its probability: the softmax of the logits, or the sigmoid of its own where classes are decided one by one; nil where the output
  /// is a quantity. Logits that are probabilities already, since the network ends in something unknown, stay what they are.
  public let probability: Double?

  /// The classes of an item by falling logit; equal ones by number.
  ///
  /// - Parameters:
  ///   - scores: classes × positions, as `ScoreLayout.scores(ofItem:)` arranges them.
  ///   - layout: what the scores decide.
  ///   - place: the position, counted row by row; 0 where there are none.
  /// - Complexity: O(classes log classes).
  public static func ranking(_ scores: Tensor, layout: ScoreLayout, place: Int = 0) -> [Prediction] {
    let logits = column(scores, place)
    let probabilities = probabilities(scores, layout: layout, place: place)
    return logits.indices
      .map { Prediction(classIndex: $0, logit: logits[$0], probability: probabilities?[$0]) }
      .sorted { ($1.logit, $0.classIndex) < ($0.logit, $1.classIndex) }
  }

  /// The probability of each class at a position; nil where the output is a quantity.
  package static func probabilities(_ scores: Tensor, layout: ScoreLayout, place: Int = 0) -> [Double]? {
    probabilities(column(scores, place), layout: layout)
  }

  /// The same of the scores of all classes at a position.
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

  /// Whether values are probabilities of alternatives: not negative, with the sum 1.
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
  /// The class, from 0.
  public let classIndex: Int
  /// The positions, counted row by row (`ScoreLayout.coordinates(ofPosition:)`).
  public let places: [Int]
  /// Their share of all positions.
  public let share: Double
  /// The mean of the class's logits there.
  public let meanLogit: Double
  /// The mean of its probabilities there; nil where the output is a quantity.
  public let meanProbability: Double?

  /// The classes that have the largest score at some position, by falling number of positions; equal ones by number. Of equal scores
  /// the first class's counts.
  ///
  /// - Parameters:
  ///   - scores: classes × positions, as `ScoreLayout.scores(ofItem:)` arranges them.
  ///   - layout: what the scores decide.
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

/// Logits and probabilities of all classes for one input; where classes have scores at several positions, those at the first.
package struct ClassScores: Sendable {
  package let logits: [Float]
  /// By class; of a quantity, which has no probability, 1.
  package let probabilities: [Double]

  init(_ scores: Tensor, layout: ScoreLayout) {
    logits = Prediction.column(scores, 0)
    probabilities = Prediction.probabilities(scores, layout: layout) ?? logits.map { _ in 1 }
  }

  /// The class with the largest logit, the first of equal ones.
  package var best: Int { logits.indices.max { (logits[$0], $1) < (logits[$1], $0) } ?? 0 }
}
