import RelevanceSupport
import RelevanceTensors

/// An error for a receptive field that does not exist.
enum ReceptiveFieldError: RelevanceKitError {
  case independent(node: String)
  case noSuchPosition([Int], node: String, shape: TensorShape, extents: [Int])

  var category: ErrorCategory { .usage }

  var description: String {
    switch self {
    case .independent(let node):
      "\(node): the node does not depend on the input and has no receptive field; relevance inspect lists the nodes"
    case .noSuchPosition(let position, let node, let shape, let extents):
      "\(node)@\(Self.text(position)): "
        + (extents.isEmpty
          ? "the node's output \(shape) has no positions; expected \(node) alone"
          : "the node has no such position; expected \(Self.form(extents)) from "
            + "\(Self.text(extents.map { _ in 0 })) to \(Self.text(extents.map { $0 - 1 }))")
    }
  }

  private static func text(_ position: [Int]) -> String { position.map(String.init).joined(separator: ",") }

  private static func form(_ extents: [Int]) -> String {
    switch extents.count {
    case 1: "one number"
    case 2: "row,column"
    default: "\(extents.count) numbers"
    }
  }
}
