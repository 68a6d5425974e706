import RelevancePropagation

/// Guided backpropagation times Grad-CAM. *Selvaraju17*.
public struct GuidedGradCAM: AttributionMethod {
  /// The layer of Grad-CAM; nil for the last layer that has positions or, in a transformer, the last normalized tokens
  /// (see `Trace.defaultCAMLayer(for:)`).
  public private(set) var layer: String?

  public static let name = "guided-grad-cam"
  public static let parameters: [Parameter<Self>] = [.layer(\.layer)]
  public init() {}
  /// Makes the method.
  public init(layer: String?) { self.layer = layer }

  public var table: RuleTable? { .gradient(.guided) }
  public func remarks(in trace: Trace) throws -> [String] { [try trace.camRemark(at: layer, for: self)] }
  public func quantity(of score: String) -> String { "\(score) per unit of input × class activation" }
  public func warnings(under plan: RulePlan) -> [String] { plan.warningsOfRectifiers(of: self) }
  public var takesConditions: Bool { false }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let maps = try GradCAM(layer: layer).maps(of: targets, in: trace, ledger: false)
    let guided = try GuidedBackprop().maps(of: targets, in: trace, ledger: false)
    return zip(maps, guided).map { map, guided in
      AttributionMap(guided.values.combined(with: map.values.expanded(to: guided.values.shape), *))
    }
  }
}

extension AttributionMethod where Self == GuidedGradCAM {
  /// Guided Grad-CAM at the last layer that has positions.
  public static var guidedGradCAM: GuidedGradCAM { GuidedGradCAM() }
}
