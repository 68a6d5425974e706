import Networks
import Tensors

/// Rule z^B: z⁺ for inputs that lie in a box, such as pixels.
///
/// - Use: the first weighted layer, which sees pixels of both signs.
/// - Definition: `R_i = Σ_j (x_i w_ij − l_i w⁺_ij − h_i w⁻_ij) / (Σ_i' x_i' w_i'j − l_i' w⁺_i'j − h_i' w⁻_i'j) · R_j`, computed as
///   `(x − l)·w⁺ + (x − h)·w⁻`, all of whose terms are ≥ 0. Padding has `x = l = h = 0` and takes nothing.
/// - Its parameters: `box`, by default the range of the layer's input that follows from the pixels' range.
/// - Bias: bypassed.
/// - Conservation: exact up to the stabiliser (that of z⁺).
/// - Reference: *Montavon17* §4.3 eq. 17; *Gu18* §3 eq. 1, where it is written z^β.
public struct ZBox: ContributionRule {
  /// Where `l` and `h` come from.
  public enum Box: Hashable, Sendable {
    /// The pixels' range, carried through whatever scales or reorders them before the layer.
    case fromPixels
    /// One pair for all channels, as in the code that the authors of *Gu18* released (−2.1179, 2.64).
    case scalar(lower: Float, upper: Float)
  }
  /// The box.
  public let box: Box

  /// Makes the rule.
  public init(box: Box = .fromPixels) { self.box = box }

  public func objection(at site: RuleSite) -> String? {
    if let objection = site.objection(unless: [.conv, .convTranspose, .gemm]) { return objection }
    guard box == .fromPixels, site.operandRange == nil else { return nil }
    return
      "the range of its input does not follow from the range of the pixels, one interval per channel; give it in a row of the table, "
      + "{op: \(site.kind.rawValue), position: first, rule: zB, lower: 0, upper: 1}"
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    let lower: Tensor
    let upper: Tensor
    switch box {
    case .scalar(let l, let h): (lower, upper) = (Tensor(shape: [1], elements: [l]), Tensor(shape: [1], elements: [h]))
    case .fromPixels:
      guard let range = site.operandRange else { preconditionFailure("z^B was resolved without a range") }
      (lower, upper) = (range.lower, range.upper)
    }
    return [
      Contributions(
        [Term(.operandMinus(lower), .positive), Term(.operandMinus(upper), .negative)],
        stabiliser: .positive(ZPlus.stabiliser))
    ]
  }
}

extension ZBox: NamedRule {
  public static let name = "zB"
  public static let parameters = [RuleParameter.number("lower", nil), .number("upper", nil)]
  public init(_ arguments: RuleArguments) throws {
    switch (arguments.optionalNumber("lower"), arguments.optionalNumber("upper")) {
    case (nil, nil): self.init()
    case (let lower?, let upper?) where lower <= upper: self.init(box: .scalar(lower: lower, upper: upper))
    default: throw arguments.error(found: "half a box", expected: "lower ≤ upper, both or neither")
    }
  }
  public var arguments: [String: RuleArgument] {
    switch box {
    case .fromPixels: [:]
    case .scalar(let lower, let upper): ["lower": .number(lower), "upper": .number(upper)]
    }
  }
}
