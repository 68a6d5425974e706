import RelevanceTensors

/// Share by summand: the relevance of a sum is distributed to its summands in proportion to their values.
///
/// - Use: Add of two tensors, such as a residual connection, where it is part of every table, and Sub.
/// - Definition: `R_a = a / (a + b) · R`, `R_b = b / (a + b) · R`, element by element; 0 where the sum is 0. `a − b` is
///   the sum of a and −b. A constant summand is a bias.
/// - Its parameters: `bias`.
/// - Bias: bypassed by default: the other summand receives all relevance. With `absorbed`, the share of a constant
///   summand is absorbed.
/// - Conservation: exact where the sum is not 0, except for the shares of biases. Summands with opposite signs have
///   shares with opposite signs.
/// - Reference: *Bach15* eq. 56 with ε = 0, for a layer that adds.
public struct ShareBySummandRule: NamedRule {
  public static let name = "shareBySummand"
  public static let parameters: [Parameter<Self>] = [.init("bias", \.bias)]

  /// The treatment of a constant summand.
  public enum Bias: String, Hashable, ParameterValue, CaseIterable {
    /// The constant receives no share.
    case bypassed
    /// The share of the constant is absorbed.
    case absorbed
  }
  /// The treatment of a constant summand.
  public private(set) var bias: Bias

  public init() { bias = .bypassed }
  /// Creates the rule.
  public init(bias: Bias) { self.bias = bias }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.add, .sub]) }

  public func conserves(at site: RuleSite) -> Bool { true }
  public var constants: ConstantTreatment { bias == .bypassed ? .passed : .counted }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    bias == .absorbed || site.operandIsLive.allSatisfy { $0 } ? .nothing : .anything
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let isLive = layer.site.operandIsLive
    guard bias == .absorbed || isLive.allSatisfy({ $0 }) else {
      return PassRule().propagate(relevance, through: layer)
    }
    let sum = layer.relevantOutput
    if layer.isBooking { layer.bookDivision(of: relevance, by: sum) }
    var ratio = relevance
    layer.update(&ratio, with: sum) { $0.divide(by: $1, .signed(0)) }
    return layer.operands.enumerated().map { index, operand in
      let summand = layer.site.kind == .sub && index == 1 ? operand.map { -$0 } : operand
      if isLive[index] { return layer.summed(layer.product(ratio, summand.expanded(to: sum.shape)), to: operand.shape) }
      guard layer.isBooking else { return nil }
      // A mask of −∞ makes the sum infinite, and the ratio 0.
      let finite = summand.map { $0.isFinite ? $0 : 0 }
      layer.book(.bias, layer.sums(of: layer.product(ratio, finite.expanded(to: sum.shape))))
      return nil
    }
  }
}
