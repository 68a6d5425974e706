import RelevancePropagation

/// Excitation backpropagation of the target minus that of the negated target. Both start with 1 and are subtracted
/// below the last layer. *Zhang16* §3.3.
public struct ContrastiveExcitationBackprop: AttributionMethod {
  public static let name = "contrastive-excitation-backprop"
  public init() {}

  public var table: RuleTable? { .excitation }
  public var isContrastive: Bool { true }
  public func quantity(of score: String) -> String { "share" }

  public func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    try Seeds(contrasting: targets, strength: 1, by: self, in: trace) { $0.scores.map { _ in 1 } }
  }
}

extension AttributionMethod where Self == ContrastiveExcitationBackprop {
  /// Contrastive excitation backpropagation.
  public static var contrastiveExcitationBackprop: ContrastiveExcitationBackprop { ContrastiveExcitationBackprop() }
}
