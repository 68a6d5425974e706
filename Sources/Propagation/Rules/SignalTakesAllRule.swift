import RelevanceTensors

/// Signal takes all: in a product of a signal and a gate, the signal receives all relevance.
///
/// - Use: Mul of two tensors if one of them is a gate, such as the scale of a squeeze-and-excitation block or the sigmoid
///   of SiLU; Mul by a constant, which is always a gate; Div and Pow, whose divisor and exponent are treated as gates.
/// - Definition: `R_signal = R`, `R_gate = 0`. The gate is the factor with the smaller upper bound for all inputs,
///   which is 1 for a sigmoid and infinite for a sum. If the bounds are equal, the gate is the factor that is
///   broadcast.
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
      ? "it cannot distinguish the signal from the gate: expected operands whose values have different limits" : nil
  }

  /// The operand that is not a gate.
  private func signal(at site: RuleSite) -> Int? {
    let live = site.operandIsLive.indices.filter { site.operandIsLive[$0] }
    guard live.count == 2, site.kind == .mul else { return live.first }
    let (limits, counts) = (site.operandLimits, site.operandCounts)
    if limits[0] != limits[1] { return limits[0] > limits[1] ? 0 : 1 }
    return counts[0] == counts[1] ? nil : counts[0] > counts[1] ? 0 : 1
  }

  /// The gate receives no relevance, so the nodes that compute it need no rule.
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
