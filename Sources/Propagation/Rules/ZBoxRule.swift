import Networks
import Tensors

/// Rule z^B: z⁺ for inputs that lie in a box, such as pixels.
///
/// - Use: the first weighted layer, which sees pixels of both signs.
/// - Definition: `R_i = Σ_j (x_i w_ij − l_i w⁺_ij − h_i w⁻_ij) / (Σ_i' x_i' w_i'j − l_i' w⁺_i'j − h_i' w⁻_i'j) · R_j`, computed as
///   `(x − l)·w⁺ + (x − h)·w⁻`, all of whose terms are ≥ 0. Padding has `x = l = h = 0` and takes nothing.
/// - Its parameters: `box`, by default the range of the layer's input that follows from the pixels' range. In tables `lower` and
///   `upper`, a number for all channels or a list of one per channel. Inputs outside the box have contributions of the wrong
///   sign: see `Trace.boxViolations`.
/// - Bias: bypassed.
/// - Conservation: exact up to the stabilizer (that of z⁺).
/// - Reference: *Montavon17* §4.3 eq. 17; *Gu18* §3 eq. 1, where it is written z^β.
public struct ZBoxRule: ContributionRule {
  /// Where `l` and `h` come from.
  public enum Box: Hashable, Sendable {
    /// The pixels' range, carried through whatever scales or reorders them before the layer.
    case fromPixels
    /// One pair for all channels, as in the code that the authors of *Gu18* released (−2.1179, 2.64).
    case scalar(lower: Float, upper: Float)
    /// A pair for each channel of the layer's input; at a fully connected layer, for each of its inputs.
    case channels(lower: [Float], upper: [Float])
  }
  /// The box.
  public let box: Box

  /// Makes the rule.
  public init(box: Box = .fromPixels) { self.box = box }

  public func objection(at site: RuleSite) -> String? {
    if let objection = site.objection(unless: [.conv, .convTranspose, .gemm]) { return objection }
    switch box {
    case .scalar(let lower, let upper): return lower <= upper ? nil : "its box has lower \(lower) above upper \(upper)"
    case .channels(let lower, let upper):
      let channels = (site.node.operation as? any WeightedOperator)?.inputChannels ?? 0
      guard lower.count == channels, upper.count == channels else {
        return
          "its box has \(lower.count) lower and \(upper.count) upper bounds; expected one of each for all \(channels) channels of the "
          + "layer's input"
      }
      return zip(lower, upper).allSatisfy { $0 <= $1 } ? nil : "its box has a lower bound above the upper one"
    case .fromPixels:
      guard site.operandRange == nil else { return nil }
      return
        "the range of its input does not follow from the range of the pixels, one interval per channel; give it in a row of the table, "
        + "{op: \(site.kind), position: first, rule: zB, lower: 0, upper: 1}"
    }
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    guard let bounds = bounds(at: site) else { preconditionFailure("z^B was resolved without a range") }
    return contributions(bounds.lower, bounds.upper)
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    // Bounds that differ from place to place were told for an input of another size.
    guard box == .fromPixels, let range = layer.site.operandRange?.fitted(to: layer.operandShape) else {
      return [layer.redistribute(consume relevance, by: contributions(at: layer.site))]
    }
    return [layer.redistribute(consume relevance, by: contributions(range.lower, range.upper))]
  }

  private func contributions(_ lower: Tensor, _ upper: Tensor) -> [Contributions] {
    [
      Contributions(
        [Term(.operandMinus(lower), .positive), Term(.operandMinus(upper), .negative)],
        stabilizer: .positive(ZPlusRule.stabilizer))
    ]
  }

  /// The bounds of the layer's input, which broadcast to it; nil if they do not follow from the pixels' range.
  package func bounds(at site: RuleSite) -> (lower: Tensor, upper: Tensor)? {
    switch box {
    case .fromPixels: return site.operandRange.map { ($0.lower, $0.upper) }
    case .scalar(let lower, let upper):
      return (Tensor(shape: [1], elements: [lower]), Tensor(shape: [1], elements: [upper]))
    case .channels(let lower, let upper):
      // Channels come before the spatial axes, and inputs of fully connected layers last.
      let shape = TensorShape(
        [lower.count] + [Int](repeating: 1, count: (site.node.operation as? any WeightedOperator)?.spatialAxes ?? 0))
      return (Tensor(shape: shape, elements: lower), Tensor(shape: shape, elements: upper))
    }
  }
}

extension ZBoxRule: NamedRule {
  public static let name = "zB"
  public static let parameters = [Parameter.numbers("lower"), .numbers("upper")]
  public init(_ arguments: Arguments) throws {
    self.init(box: try Self.box(arguments))
  }

  private static func box(_ arguments: Arguments) throws -> Box {
    let expected = "lower ≤ upper, both or neither"
    let lower: [Float]
    let upper: [Float]
    switch (arguments.optionalNumbers("lower"), arguments.optionalNumbers("upper")) {
    case (nil, nil): return .fromPixels
    case (let l?, let h?):
      // One number stands for all channels.
      lower = l.count == 1 ? [Float](repeating: l[0], count: h.count) : l
      upper = h.count == 1 ? [Float](repeating: h[0], count: l.count) : h
    default: throw arguments.error(found: "half a box", expected: expected)
    }
    guard lower.count == upper.count else {
      throw arguments.error(
        found: "\(lower.count) lower and \(upper.count) upper bounds",
        expected: "as many of each, or one number for all channels")
    }
    if let wrong = lower.indices.first(where: { lower[$0] > upper[$0] }) {
      throw arguments.error(
        found: "lower \(Arguments.Value.number(lower[wrong])) above upper \(Arguments.Value.number(upper[wrong]))",
        expected: expected)
    }
    let isList = arguments.isList("lower") || arguments.isList("upper")
    return isList ? .channels(lower: lower, upper: upper) : .scalar(lower: lower[0], upper: upper[0])
  }

  public var arguments: [String: Arguments.Value] {
    switch box {
    case .fromPixels: [:]
    case .scalar(let lower, let upper): ["lower": .number(lower), "upper": .number(upper)]
    case .channels(let lower, let upper): ["lower": .numbers(lower), "upper": .numbers(upper)]
    }
  }
}
