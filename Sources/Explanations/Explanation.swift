import Propagation
import Tensors

/// What an explanation is of.
public enum Target: Hashable, Sendable {
  /// A class, by its position among the logits.
  case `class`(Int)

  /// The class.
  public var classIndex: Int {
    switch self {
    case .class(let index): index
    }
  }
}

/// Which parts of an input spoke for a target, and how strongly.
public struct Explanation: Sendable {
  /// What is explained.
  public let target: Target
  /// How.
  public let method: Method
  /// The explained logit of each item of the batch.
  public let scores: [Float]
  /// Relevance before negative parts are dropped: batch × channels × height × width, in units of the logit.
  public let signedRelevance: Tensor
  /// What became of relevance at every node, from the logits down, and of a contrast's negative part in the end; empty if
  /// it was not asked for. Of a contrast sums are small: target and dual start with the same score, of opposite signs.
  public let ledger: Ledger

  /// The explained logit (of the first item).
  public var score: Float { scores[0] }

  /// Relevance of each element of the input: batch × channels × height × width, in units of the logit. Contrastive methods
  /// keep only what speaks for the target more than for its dual: `max(0, ·)`, *Gu18* eq. 2.
  public var relevance: Tensor { method.isContrastive ? signedRelevance.positivePart : signedRelevance }

  /// Whether the network's vote for the target is negative or zero, so that there is no support to explain.
  public var isUnsupported: Bool { score <= 0 }
}

/// An explanation that cannot be given.
public enum ExplanationError: RelevanceKitError {
  /// The class is not among the logits.
  case noSuchClass(Int, classes: Int)
  /// CLRP2 negates the weights of the last layer, and there is none that leads to the logits alone.
  case noWeightedHead(node: String, operator: String)

  public var category: ErrorCategory {
    switch self {
    case .noSuchClass: .usage
    case .noWeightedHead: .badData
    }
  }

  public var description: String {
    switch self {
    case .noSuchClass(let index, let classes): "there is no class \(index): the network has classes 0 to \(classes - 1)"
    case .noWeightedHead(let node, let op):
      "clrp2 negates the weights of the network's last layer, but node \(node) (\(op)) lies between it and the logits"
    }
  }
}
