import RelevanceNetworks
import RelevanceTensors

/// Rule z^B: z⁺ for inputs in a box, such as pixels.
///
/// - Use: the first weighted layer, whose inputs are pixels of both signs.
/// - Definition: `R_i = Σ_j (x_i w_ij − l_i w⁺_ij − h_i w⁻_ij) / (Σ_i' x_i' w_i'j − l_i' w⁺_i'j − h_i' w⁻_i'j) · R_j`,
///   computed as `(x − l)·w⁺ + (x − h)·w⁻`, whose terms are all ≥ 0. Padding has `x = l = h = 0` and receives nothing.
/// - Its parameters: `box`, by default the range of the layer's input derived from the pixel range. In tables `lower`
///   and `upper`, each a number for all channels or a list with one number per channel. Contributions of inputs outside
///   the box have the wrong sign: see `Trace.boxViolations`.
/// - Bias: bypassed.
/// - Conservation: exact except for the share of the stabilizer (that of z⁺).
/// - Reference: *Montavon17* §4.3 eq. 17; *Gu18* §3 eq. 1, written as z^β.
public struct ZBoxRule: ContributionRule, NamedRule {
  public static let name = "zB"
  public static let parameters: [Parameter<Self>] = [.init("lower", \.lower), .init("upper", \.upper)]

  /// The source of `l` and `h`.
  public enum Box: Hashable, Sendable {
    /// The pixel range, propagated through the nodes that scale or reorder pixels before the layer.
    case fromPixels
    /// One pair for all channels, as in the code released by the authors of *Gu18* (−2.1179, 2.64).
    case scalar(lower: Float, upper: Float)
    /// A pair for each channel of the layer's input, or for each input of a fully connected layer.
    case channels(lower: [Float], upper: [Float])
  }
  /// The box.
  public private(set) var box: Box
  /// The parameters that were given.
  private var given: (lower: Bounds?, upper: Bounds?) = (nil, nil) {
    didSet {
      guard let (lower, upper) = both else { return }
      let isList = given.lower?.isList == true || given.upper?.isList == true
      box = isList ? .channels(lower: lower, upper: upper) : .scalar(lower: lower[0], upper: upper[0])
    }
  }

  public init() { box = .fromPixels }
  /// Creates the rule.
  public init(box: Box) { self.box = box }

  public func objection(at site: RuleSite) -> String? {
    if let objection = site.objection(unless: [.conv, .convTranspose, .gemm]) { return objection }
    switch box {
    case .scalar(let lower, let upper): return lower <= upper ? nil : "its box has lower \(lower) above upper \(upper)"
    case .channels(let lower, let upper):
      let channels = (site.node.operation as? any WeightedOperator)?.inputChannels ?? 0
      guard lower.count == channels, upper.count == channels else {
        return
          "its box has \(lower.count) lower and \(upper.count) upper bounds; expected one of each for all "
          + "\(channels) channels of the layer's input"
      }
      return zip(lower, upper).allSatisfy { $0 <= $1 } ? nil : "its box has a lower bound above the upper one"
    case .fromPixels:
      guard site.operandRange == nil else { return nil }
      return
        "the range of its input, one interval per channel, cannot be derived from the pixel range; specify it in a "
        + "row of the table, {op: \(site.kind), position: first, rule: zB, lower: 0, upper: 1}"
    }
  }

  public func contributions(at site: RuleSite) -> [Contributions] {
    guard let bounds = bounds(at: site) else { preconditionFailure("z^B was resolved without a range") }
    return contributions(bounds.lower, bounds.upper)
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    // Bounds that vary with position were computed for another input size.
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

  /// The bounds of the layer's input, which broadcast to it; nil if they cannot be derived from the pixel range.
  package func bounds(at site: RuleSite) -> (lower: Tensor, upper: Tensor)? {
    switch box {
    case .fromPixels: return site.operandRange.map { ($0.lower, $0.upper) }
    case .scalar(let lower, let upper):
      return (Tensor(shape: [1], elements: [lower]), Tensor(shape: [1], elements: [upper]))
    case .channels(let lower, let upper):
      // The channel axis comes before the spatial axes; inputs of fully connected layers are the last axis.
      let shape = TensorShape(
        [lower.count] + [Int](repeating: 1, count: (site.node.operation as? any WeightedOperator)?.spatialAxes ?? 0))
      return (Tensor(shape: shape, elements: lower), Tensor(shape: shape, elements: upper))
    }
  }
}

extension ZBoxRule {
  /// A bound for all channels, or a list with one bound per channel.
  private struct Bounds: NumericValue {
    let values: [Float]
    let isList: Bool
    static var expected: String { "a number, or a list such as [1, 2, 3]" }

    init(_ values: [Float], isList: Bool) { (self.values, self.isList) = (values, isList) }
    init?(text: String) {
      let isList = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 1
      let parts =
        isList ? text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) : [text[...]]
      self.init(parts.compactMap { Float(text: isList ? $0.filter { $0 != " " } : String($0)) }, isList: isList)
      if values.count != parts.count { return nil }
    }
    var text: String { isList ? "[\(values.map(\.text).joined(separator: ", "))]" : values[0].text }
  }

  private var lower: Bounds? {
    get { bounds { lower, _ in lower } }
    set { given.lower = newValue }
  }
  private var upper: Bounds? {
    get { bounds { _, upper in upper } }
    set { given.upper = newValue }
  }
  private func bounds(_ side: (_ lower: [Float], _ upper: [Float]) -> [Float]) -> Bounds? {
    switch box {
    case .fromPixels: nil
    case .scalar(let lower, let upper): Bounds(side([lower], [upper]), isList: false)
    case .channels(let lower, let upper): Bounds(side(lower, upper), isList: true)
    }
  }

  /// Both bounds, if both were given; a single number applies to all channels.
  private var both: (lower: [Float], upper: [Float])? {
    guard let lower = given.lower?.values, let upper = given.upper?.values else { return nil }
    return (
      lower.count == 1 ? upper.map { _ in lower[0] } : lower, upper.count == 1 ? lower.map { _ in upper[0] } : upper
    )
  }

  public var objection: (found: String, expected: String)? {
    guard let (lower, upper) = both else {
      return given.lower == nil && given.upper == nil ? nil : ("only one bound", "lower ≤ upper, both or neither")
    }
    guard lower.count == upper.count else {
      return (
        "\(lower.count) lower and \(upper.count) upper bounds",
        "the same number of each, or one number for all channels"
      )
    }
    return zip(lower, upper).first { $0 > $1 }.map {
      ("lower \($0.text) above upper \($1.text)", "lower ≤ upper, both or neither")
    }
  }
}
