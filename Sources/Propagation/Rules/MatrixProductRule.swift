import RelevanceNetworks
import RelevanceTensors

/// Matrix product: of two matrices that both depend on the input, each receives half, or the values receive all.
///
/// - Use: attention, `O = A·V`, and other products of tensors that both depend on the input.
/// - Definition: with `O_jp = Σ_i A_ji V_ip`. For `shares` = `halves`, `R_ji = Σ_p A_ji V_ip R_jp / (2 O_jp + ε)` and
///   `R_ip = Σ_j A_ji V_ip R_jp / (2 O_jp + ε)`. For `valuesOnly`, `R_ip = Σ_j A_ji V_ip R_jp / (O_jp + ε)`, and A
///   receives nothing. Outputs with `O_jp = 0` send nothing, and ε has the sign of `O_jp`. The values V are the second
///   operand, unless the second operand has the smaller upper bound for all inputs, such as 1 for a softmax. An operand
///   that does not depend on the input receives nothing, and the other operand receives both shares.
/// - Its parameters: `shares`, `halves` or `valuesOnly`; `epsilon` ≥ 0, in units of the product.
/// - Bias: none. If the values do not depend on the input, the relevance is absorbed as a bias's share.
/// - Conservation: exact except for the share of the stabilizer.
/// - Reference: *Achtibat24* eq. 14 for halves, *Ali22* for values only.
public struct MatrixProductRule: NamedRule {
  public static let name = "matrixProduct"
  public static let parameters: [Parameter<Self>] = [
    .init("shares", \.shares), .init("epsilon", \.epsilon, atLeast: 0),
  ]

  /// The distribution of relevance between the operands.
  public enum Shares: String, Hashable, ParameterValue, CaseIterable {
    /// Half to each operand.
    case halves
    /// All to the values: attention is treated as a constant.
    case valuesOnly
  }
  /// The distribution of relevance between the operands.
  public private(set) var shares: Shares
  /// The stabilizer ε.
  public private(set) var epsilon: Float

  public init() { self.init(shares: .halves) }
  /// Creates the rule. A table with the rule can be resolved only if `epsilon` is not negative.
  public init(shares: Shares, epsilon: Float = 1e-9) { (self.shares, self.epsilon) = (shares, epsilon) }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.batchMatMul]) }
  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }
  public var constants: ConstantTreatment { .counted }

  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool {
    site.operandIsLive[operand] && (shares == .halves || operand == values(at: site))
  }

  /// The index of the operand with the values, in contrast to the attention.
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
