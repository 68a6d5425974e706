import Tensors

/// Share by summand: a sum's relevance goes to its summands in proportion to their values.
///
/// - Use: Add of two tensors, such as a residual connection, which is part of every table, and Sub.
/// - Definition: `R_a = a / (a + b) · R`, `R_b = b / (a + b) · R`, element by element; nothing where the sum is 0. `a − b` is a sum of a
///   and −b. A constant
///   summand's share is bypassed like a bias: the other summand takes all.
/// - Its parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact where the sum is not 0. Summands of opposite signs share with opposite signs.
/// - Reference: *Bach15* eq. 56 with ε = 0, for a layer that adds.
public struct ShareBySummandRule: NamedRule {
  public static let name = "shareBySummand"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.add, .sub]) }

  public func conserves(at site: RuleSite) -> Bool { true }
  public var constants: ConstantTreatment { .passed }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    site.operandIsLive.allSatisfy { $0 } ? .nothing : .anything
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    guard layer.site.operandIsLive.allSatisfy({ $0 }) else { return PassRule().propagate(relevance, through: layer) }
    let sum = layer.relevantOutput
    if layer.isBooking { layer.bookDivision(of: relevance, by: sum) }
    var ratio = relevance
    layer.update(&ratio, with: sum) { $0.divide(by: $1, .signed(0)) }
    return layer.operands.enumerated().map { index, operand in
      let summand = layer.site.kind == .sub && index == 1 ? operand.map { -$0 } : operand
      return layer.summed(layer.product(ratio, summand.expanded(to: sum.shape)), to: operand.shape)
    }
  }
}
