import RelevanceNetworks
import RelevanceTensors

/// Matrix product: of a product of two matrices that both depend on the input, each gets half, or the values get all.
///
/// - Use: attention, `O = A·V`, and other products of tensors that both depend on the input.
/// - Definition: with `O_jp = Σ_i A_ji V_ip`, for `shares` `halves`: `R_ji = Σ_p A_ji V_ip R_jp / (2 O_jp + ε)` and
///   `R_ip = Σ_j A_ji V_ip R_jp / (2 O_jp + ε)`; for `valuesOnly`: `R_ip = Σ_j A_ji V_ip R_jp / (O_jp + ε)`, and nothing for A; nothing
///   where `O_jp = 0`, and ε has the sign of `O_jp`. Values are the second operand, unless the second is the one whose values have the
///   smaller limit whatever the input is, as those of a softmax have 1. An operand that does not depend on the input gets nothing; the
///   other one gets what both would.
/// - Its parameters: `shares`, `halves` or `valuesOnly`; `epsilon` ≥ 0, in units of the product.
/// - Bias: none. Values that do not depend on the input keep what arrives, as a bias.
/// - Conservation: exact but for the stabilizer's share.
/// - Reference: *Achtibat24* eq. 14 for halves, *Ali22* for values only.
public struct MatrixProductRule: NamedRule {
  public static let name = "matrixProduct"
  public static let parameters: [Parameter<Self>] = [
    .init("shares", \.shares), .init("epsilon", \.epsilon, atLeast: 0),
  ]

  /// Who gets how much.
  public enum Shares: String, Hashable, ParameterValue, CaseIterable {
    /// Half to each operand.
    case halves
    /// All to the values: attention is taken for a constant.
    case valuesOnly
  }
  /// Who gets how much.
  public private(set) var shares: Shares
  /// The stabilizer ε.
  public private(set) var epsilon: Float

  public init() { self.init(shares: .halves) }
  /// Makes the rule; `epsilon` must not be negative, or a table with the rule cannot be resolved.
  public init(shares: Shares, epsilon: Float = 1e-9) { (self.shares, self.epsilon) = (shares, epsilon) }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.batchMatMul]) }
  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }
  public var constants: ConstantTreatment { .counted }

  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool {
    site.operandIsLive[operand] && (shares == .halves || operand == values(at: site))
  }

  /// The operand that is no attention.
  private func values(at site: RuleSite) -> Int { site.operandLimits[0] > site.operandLimits[1] ? 0 : 1 }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let takes = layer.node.inputs.indices.map { sendsRelevance(to: $0, at: layer.site) }
    let shared = Float(takes.count { $0 })
    var s = relevance
    guard shared > 0 else {
      if layer.isBooking { layer.book(.bias, layer.sums(of: s)) }
      return takes.map { _ in nil }
    }
    // R / (n·O + ε) = (R / n) / (O + ε / n)
    let (product, stabilizer) = (layer.relevantOutput, Contributions.Stabilizer.signed(epsilon / shared))
    if layer.isBooking { layer.bookDivision(of: s, by: product, stabilizer) }
    layer.update(&s, with: product) {
      $0.divide(by: $1, stabilizer)
      if shared != 1 { $0.multiply(by: 1 / shared) }
    }
    return zip(layer.sentBack(s, wanted: takes), layer.operands).map { share, operand in
      share.map { layer.scaled($0, by: operand) }
    }
  }
}
