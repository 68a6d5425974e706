import RelevanceTensors

/// Equal shares: the operands of a sum or a product receive equal relevance.
///
/// - Use: Mul of two tensors if neither is a gate; Add if shares by value would cancel; products over axes.
/// - Definition: `R_k = R / n` for each of the n operands that depend on the input, or for each of the n factors.
/// - Its parameters: none.
/// - Bias: a constant operand is bypassed.
/// - Conservation: exact.
/// - Reference: *Achtibat24*, uniform rule.
public struct EqualSharesRule: NamedRule {
  public static let name = "equalShares"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.add, .mul, .reduceProd]) }
  public func conserves(at site: RuleSite) -> Bool { true }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.site.kind == .reduceProd { return [layer.sharedEqually(relevance)] }
    let live = Float(layer.site.operandIsLive.count { $0 })
    let share = live == 1 ? relevance : relevance.map { $0 / live }
    return zip(layer.operandShapes, layer.site.operandIsLive).map { $1 ? layer.summed(share, to: $0) : nil }
  }
}
