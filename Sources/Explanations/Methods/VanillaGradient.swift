import RelevancePropagation

/// `∂y/∂x`. *Simonyan14* §3.
public struct VanillaGradient: AttributionMethod {
  public static let name = "gradient"
  public init() {}

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .slope }
  public func quantity(of score: String) -> String { "\(score) per unit of input" }
}

extension AttributionMethod where Self == VanillaGradient {
  /// The gradient.
  public static var gradient: VanillaGradient { VanillaGradient() }
}
