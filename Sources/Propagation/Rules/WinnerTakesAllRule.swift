import RelevanceNetworks
import RelevanceTensors

/// Winner takes all: the position of the maximum receives all relevance of a window.
///
/// - Use: max pooling, over windows or whole axes; Max and Min of two tensors.
/// - Definition: `R_i = R_j` for the `i` with `x_i = max`, else 0; for a minimum in the same way. If a constant is the
///   maximum, the relevance is absorbed.
/// - Its parameters: `ties`, the treatment of several positions with the maximum.
/// - Bias: none.
/// - Conservation: exact.
/// - Reference: *Gu18* §3.1; the code released by its authors splits ties.
public struct WinnerTakesAllRule: NamedRule {
  public static let name = "winnerTakesAll"
  public static let parameters: [Parameter<Self>] = [.init("ties", \.ties, isTacit: false)]

  /// The treatment of several positions with the maximum.
  public enum Ties: String, Hashable, ParameterValue, CaseIterable {
    /// The lowest index receives all relevance, as in PyTorch and ONNX Runtime.
    case first
    /// The positions receive equal shares.
    case split
  }
  /// The treatment of several positions with the maximum.
  public private(set) var ties: Ties

  public init() { ties = .first }
  /// Creates the rule.
  public init(ties: Ties) { self.ties = ties }

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: OperatorKind.all(.maximum) + [.reduceMin, .max, .min])
  }

  public func conserves(at site: RuleSite) -> Bool { site.operandIsLive.allSatisfy { $0 } }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    [.max, .min].contains(site.kind) ? .anything : .whatArrivesAtZeros
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let sign: Float = layer.site.kind == .min ? -1 : 1
    let tie: Float = ties == .split ? 0.5 : 1
    switch layer.site.kind {
    case .max, .min:
      return layer.partials(relevance) { a, b in
        a == b ? (tie, 1 - tie) : sign * a > sign * b ? (1, 0) : (0, 1)
      }
    default: return [layer.sentToWinners(relevance, splitsTies: ties == .split)]
    }
  }
}
