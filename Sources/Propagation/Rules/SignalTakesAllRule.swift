import RelevanceTensors

/// Signal takes all: in a product of a signal and a gate, the signal takes all relevance.
///
/// - Use: Mul of two tensors of which one is a gate, such as the scale of a squeeze-and-excitation block or the sigmoid of
///   SiLU, and Mul by a constant, which is always a gate; Div and Pow, where the divisor and the exponent are no signal.
/// - Definition: `R_signal = R`, `R_gate = 0`. Of factors the gate is the one whose values have the smaller limit whatever the image
///   is, 1 for a sigmoid and none for a sum; of equal ones the one that is repeated along axes.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact.
/// - Reference: *Arras17*, for the gates of an LSTM.
public struct SignalTakesAllRule: NamedRule {
  public static let name = "signalTakesAll"
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    if let objection = site.objection(unless: [.mul, .div, .pow]) { return objection }
    return signal(at: site) == nil
      ? "it cannot tell the signal from the gate: expected operands whose values have different limits" : nil
  }

  /// The operand that is not a gate.
  private func signal(at site: RuleSite) -> Int? {
    let live = site.operandIsLive.indices.filter { site.operandIsLive[$0] }
    guard live.count == 2, site.kind == .mul else { return live.first }
    let (limits, counts) = (site.operandLimits, site.operandCounts)
    if limits[0] != limits[1] { return limits[0] > limits[1] ? 0 : 1 }
    return counts[0] == counts[1] ? nil : counts[0] > counts[1] ? 0 : 1
  }

  /// Nothing goes to the gate, so what computes it needs no rule.
  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool { operand == signal(at: site) }
  public func conserves(at site: RuleSite) -> Bool { true }
  public var constants: ConstantTreatment { .passed }
  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.turnedSignWarnings(in: plan) }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .whatArrivesAtZeros }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let r = relevance
    let signal = signal(at: layer.site)
    return layer.operandShapes.enumerated().map { $0 == signal ? layer.summed(r, to: $1) : nil }
  }
}
