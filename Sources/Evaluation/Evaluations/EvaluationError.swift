import Support
import Tensors

/// A picture or a network that cannot be evaluated.
package enum EvaluationError: RelevanceKitError, Equatable {
  /// The network does not take the picture.
  case doesNotFit(String, reason: String)
  /// The data set has no picture that the evaluation could use.
  case nothingToEvaluate(needs: String)
  /// Too few pictures that the network is sure of.
  case tooFewCandidates(found: Int, classes: Int, needs: Int)
  /// A map that cannot be scored.
  case notFinite(method: String)
  /// A grid of more cells than a picture has rows or columns.
  case tooManyCells(Int, width: Int, height: Int)
  /// A picture of another class than the network has.
  case noSuchClass(String, Int, classes: Int)

  package var category: ErrorCategory { .badData }

  package var description: String {
    switch self {
    case .doesNotFit(let name, let reason): "\(name): \(reason)"
    case .nothingToEvaluate(let needs): "expected at least one picture with \(needs) in the data set, found none"
    case .tooFewCandidates(let found, let classes, let needs):
      "expected pictures of at least \(needs) classes that the network is sure of, found \(found) of \(classes)"
    case .notFinite(let method): "the map by \(method) has values that are not finite (NaN or infinite)"
    case .tooManyCells(let cells, let width, let height):
      "a picture of \(width)×\(height) pixels has no \(cells)×\(cells) cells"
    case .noSuchClass(let name, let index, let classes):
      "\(name): class \(index) is not among the network's \(classes) classes"
    }
  }
}
