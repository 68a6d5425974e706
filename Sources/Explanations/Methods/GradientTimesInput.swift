import RelevancePropagation

/// `x ⊙ ∂y/∂x`. *Shrikumar16*.
public struct GradientTimesInput: AttributionMethod {
  public static let name = "gradient-x-input"
  public init() {}

  public var table: RuleTable? { .gradient() }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    try VanillaGradient().maps(of: targets, in: trace, ledger: false).map {
      AttributionMap($0.values.combined(with: trace.input, *))
    }
  }
}

extension AttributionMethod where Self == GradientTimesInput {
  /// The gradient times the input.
  public static var gradientTimesInput: GradientTimesInput { GradientTimesInput() }
}
