import RelevancePropagation

/// The gradient with modified rectifiers: in the backward pass, each rectifier passes positive values only. *Zeiler14*
/// §2.1.
public struct DeconvNet: AttributionMethod {
  public static let name = "deconvnet"
  public init() {}

  public var table: RuleTable? { .gradient(.deconvolution) }
  public var sign: MapSign { .slope }
  public func quantity(of score: String) -> String { "\(score) per unit of input, rectified" }
  public func warnings(under plan: RulePlan) -> [String] { plan.warningsOfRectifiers(of: self) }
}

extension AttributionMethod where Self == DeconvNet {
  /// DeconvNet.
  public static var deconvNet: DeconvNet { DeconvNet() }
}
