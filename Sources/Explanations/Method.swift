import Networks
import Propagation
import Tensors

/// How a decision is explained: which seeds are propagated. The rules belong to the table.
public enum Method: Hashable, Sendable {
  /// Layer-wise relevance propagation: the target's logit, propagated. *Bach15*, *Gu18* §3.
  case lrp
  /// Contrastive LRP against the other classes: the dual spreads the same score evenly over them. *Gu18* §4.
  /// `strength` is λ in `max(0, R − λ·R_dual)`; 1 is the paper's.
  case clrp1(strength: Float)
  /// Contrastive LRP against the negated concept: for the dual the weights into the target are negated. *Gu18* §4.
  case clrp2(head: Head, strength: Float)

  /// What CLRP2 takes for the network's last layer.
  public enum Head: String, Hashable, Sendable {
    /// The last weighted layer and all pooling after it, as one linear map from channels × positions to the logit.
    case composite
    /// The last weighted layer alone. Where pooling follows it the contrast cancels; verbatim from the paper.
    case layer
  }

  /// CLRP1 as in the paper.
  public static let clrp1 = Method.clrp1(strength: 1)
  /// CLRP2 over the whole linear head.
  public static let clrp2 = Method.clrp2(head: .composite, strength: 1)

  /// The methods that can be asked for by name.
  public static let names: [(name: String, method: Method)] = [("lrp", .lrp), ("clrp1", .clrp1), ("clrp2", .clrp2)]

  /// The name in commands, file names and reports.
  public var name: String {
    switch self {
    case .lrp: "lrp"
    case .clrp1: "clrp1"
    case .clrp2: "clrp2"
    }
  }

  /// Whether the method is a difference of which only the positive part counts.
  public var isContrastive: Bool { self != .lrp }
}

extension Method {
  /// Where relevance starts, by node: for each item of the batch one item per target.
  ///
  /// Propagation is linear, so `R − λ·R_dual` is one pass with signed seeds; CLRP2's dual joins below the head.
  func seeds(for targets: [Target], in trace: Trace) throws -> [Node.ID: Tensor] {
    let logits = trace.plan.network.logits
    switch self {
    case .lrp: return [logits: trace.seed(for: targets, others: 0)]
    case .clrp1(let strength): return [logits: trace.seed(for: targets, others: -strength)]
    case .clrp2(let kind, let strength):
      let head = try LinearHead(of: trace.plan.network)
      let dual =
        kind == .composite ? head.compositeDual(for: targets, in: trace) : head.layerDual(for: targets, in: trace)
      return [logits: trace.seed(for: targets, others: 0), head.input: dual.map { $0 * -strength }]
    }
  }
}

extension Trace {
  /// One row per item and target: the score `S` at the target, `others · S / (C − 1)` at every other class.
  func seed(for targets: [Target], others: Float) -> Tensor {
    let classes = classes
    return Tensor(uninitialized: [batch * targets.count, classes]) { seed in
      for item in 0..<batch {
        for (number, target) in targets.enumerated() {
          let score = logits[item, target.classIndex]
          let row = (item * targets.count + number) * classes
          seed[row..<row + classes].update(repeating: classes > 1 ? others * score / Float(classes - 1) : 0)
          seed[row + target.classIndex] = score
        }
      }
    }
  }
}
