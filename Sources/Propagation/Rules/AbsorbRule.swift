import RelevanceTensors

/// Absorb: the relevance that arrives at a decision is absorbed.
///
/// - Use: decisions: comparisons, truth values, ArgMax, the indices of TopK, OneHot. Part of every table.
/// - Definition: `R_i = 0`. A decision changes in steps, and no value of its operands is a part of its result. The
///   ledger records the relevance with the cause `decision`.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: none.
/// - Reference: none; derivatives are 0, too.
public struct AbsorbRule: NamedRule {
  public static let name = "absorb"
  public init() {}

  public func objection(at site: RuleSite) -> String? { nil }
  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool { false }
  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.isBooking { layer.book(.decision, layer.sums(of: relevance)) }
    return layer.operandShapes.map { _ in nil }
  }
}
