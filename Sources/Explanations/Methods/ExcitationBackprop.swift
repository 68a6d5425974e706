import RelevancePropagation

/// The z⁺ rule on every layer with weights, starting with 1 at the target. *Zhang16* §3.2.
public struct ExcitationBackprop: AttributionMethod {
  public static let name = "excitation-backprop"
  public init() {}

  public var table: RuleTable? { .excitation }
  public func quantity(of score: String) -> String { "share" }
}

extension AttributionMethod where Self == ExcitationBackprop {
  /// Excitation backpropagation.
  public static var excitationBackprop: ExcitationBackprop { ExcitationBackprop() }
}

extension RuleTable {
  /// Excitation backpropagation as defined by *Zhang16*: z⁺ on every layer with weights, with biases bypassed.
  static let excitation = RuleTable(name: "excitation") {
    Row(.operators(.conv, .gemm, .convTranspose), ZPlusRule())
    RuleTable.excitationBackprop
  }
}
