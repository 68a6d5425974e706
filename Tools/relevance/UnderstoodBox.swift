import Foundation
import RelevanceKit

extension Candidate {
  /// A description of a box: class, position and probabilities.
  func title(_ labels: Labels?, at position: [Int], of count: Int) -> String {
    let name = labels?[classIndex].map { " (\($0))" } ?? ""
    let place = position.map(String.init).joined(separator: ",")
    let percent = { (share: Double) in String(format: "%.3g %%", share * 100) }
    let value =
      probability.map { probability in
        objectness.map {
          "confidence \(percent(confidence)): objectness \(percent($0)) × class \(percent(probability))"
        }
          ?? "confidence \(percent(confidence))"
      } ?? String(format: "score %.4g", score)
    return "class \(classIndex)\(name) at position \(place) of \(count), \(value)"
  }

  /// The same, with the positions of a prediction.
  func title(_ labels: Labels?, _ scores: PredictedScores) -> String {
    let extents = TensorShape(scores.positions)
    return title(labels, at: extents.coordinates(of: place), of: extents.count)
  }
}

extension Explanation {
  /// The class of the target; for a box, the class in the first item.
  var classIndex: Int? { target.classIndex ?? boxes.first?.classIndex }
}

extension Report {
  /// A description of the box with a rank, and of the output's layout.
  ///
  /// - Throws: `RelevanceKitError` if there is no such box.
  static func understood(_ rank: Int, in trace: Trace, labels: Labels?) throws -> String {
    let layout = trace.layout
    let boxes = try trace.boxes(ofItem: 0)
    guard rank <= boxes.count else { throw ExplanationError.noSuchBox(rank, boxes: boxes.count) }
    let box = boxes[rank - 1]
    let coordinates = box.box.map { numbers in
      "; box \(numbers.map { String(format: "%.4g", $0) }.joined(separator: ", ")), as in the network's output"
    }
    let background = Candidate.background(in: trace.scores(of: 0), layout: layout).map { index in
      "; class \(index)\(labels?[index].map { " (\($0))" } ?? "") is the presumed background"
    }
    return "box:\(rank) is "
      + box.title(labels, at: layout.coordinates(ofPosition: box.place), of: layout.positionCount)
      + (coordinates ?? "; the output has no coordinates there")
      + "; the output has \(layout)" + (background ?? "") + "; overlapping boxes are not removed"
  }
}
