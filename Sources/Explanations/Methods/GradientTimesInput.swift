import Propagation
import Tensors

/// `x ⊙ ∂y/∂x`. *Shrikumar16*.
public struct GradientTimesInput: AttributionMethod {
  public static let name = "gradient-x-input"
  /// Makes the method.
  public init() {}
  public init(_ arguments: Arguments) {}

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
