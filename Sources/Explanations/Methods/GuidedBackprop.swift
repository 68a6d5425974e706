import RelevancePropagation

/// The gradient with modified rectifiers: each rectifier passes a value only where both its input and the backward
/// signal are positive. *Springenberg15*.
public struct GuidedBackprop: AttributionMethod {
  public static let name = "guided-backprop"
  public init() {}

  public var table: RuleTable? { .gradient(.guided) }
  public var sign: MapSign { .slope }
  public func quantity(of score: String) -> String { "\(score) per unit of input, rectified" }
  public func warnings(under plan: RulePlan) -> [String] { plan.warningsOfRectifiers(of: self) }
}

extension AttributionMethod where Self == GuidedBackprop {
  /// Guided backpropagation.
  public static var guidedBackprop: GuidedBackprop { GuidedBackprop() }
}

extension RulePlan {
  /// Warns if a method that modifies rectifiers only is applied to a network with other activations.
  func warningsOfRectifiers(of method: some AttributionMethod) -> [String] {
    let (rectifiers, others) = activations()
    guard rectifiers.isEmpty || !others.isEmpty else { return [] }
    let found = others.first.map { first in
      let name = "\(first.name) (\(first.kind))"
      return others.count == 1
        ? "1 activation of another kind, \(name)"
        : "\(others.count) activations of other kinds, the first of them \(name)"
    }
    let effect =
      rectifiers.isEmpty
      ? "the network has no rectifier\(found.map { ", but \($0)" } ?? ""), so the maps equal those of the plain "
        + "gradient"
      : "the network has \(found ?? ""); other activations keep their derivative and pass negative values"
    return [
      "\(method.name) modifies the gradient at rectifiers only, and \(effect); use gradient-x-input, or relevance such "
        + "as lrp"
    ]
  }
}
