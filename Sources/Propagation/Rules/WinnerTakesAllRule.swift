import Networks
import Tensors

/// Winner takes all: a window's relevance goes to the position that won the forward maximum.
///
/// - Use: max pooling, over windows or whole axes.
/// - Definition: `R_i = R_j` for the `i` with `x_i = max`, else 0.
/// - Its parameters: `ties`, what happens when several positions hold the maximum.
/// - Bias: none.
/// - Conservation: exact.
/// - Reference: *Gu18* §3.1; ties are split in the code that its authors released.
public struct WinnerTakesAllRule: NamedRule {
  public static let name = "winnerTakesAll"
  public static let parameters: [Parameter<Self>] = [.init("ties", \.ties, isTacit: false)]

  /// What happens when several positions hold the maximum.
  public enum Ties: String, Hashable, ParameterValue, CaseIterable {
    /// The lowest index takes all, as PyTorch and ONNX Runtime report it.
    case first
    /// Equal shares.
    case split
  }
  /// What happens when several positions hold the maximum.
  public private(set) var ties: Ties

  public init() { ties = .first }
  /// Makes the rule.
  public init(ties: Ties) { self.ties = ties }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: OperatorKind.all(.maximum)) }

  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .whatArrivesAtZeros }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    [layer.sentToWinners(relevance, splitsTies: ties == .split)]
  }
}
