import Propagation

/// `∂y/∂x`. *Simonyan14* §3.
public struct VanillaGradient: Method {
  public static let name = "gradient"
  /// Makes the method.
  public init() {}
  public init(_ arguments: Arguments) {}

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .slope }
  public func unit(of score: String) -> String { "\(score) per unit of input" }
}

extension Method where Self == VanillaGradient {
  /// The gradient.
  public static var gradient: VanillaGradient { VanillaGradient() }
}
