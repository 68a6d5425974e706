import RelevancePropagation

/// The gradient with rectifiers that let pass only what is positive on both ways. *Springenberg15*.
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
  /// Methods that change rectifiers only, on networks that have other activations.
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
      ? "the network has no rectifier\(found.map { ", but \($0)" } ?? ""): what it gives is the plain gradient's"
      : "the network has \(found ?? ""): they keep their derivative and let negative values pass"
    return [
      "\(method.name) changes the gradient at rectifiers only, and \(effect); use gradient-x-input, or relevance such as lrp"
    ]
  }
}
