import RelevanceNetworks
import RelevanceTensors

/// Even: the relevance of an average is distributed to its positions in equal shares.
///
/// - Use: average pooling, global or windowed.
/// - Definition: `R_i = R_j / n` for the `n` positions of the window that are inside the input; padding receives
///   nothing.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact.
/// - Reference: *Gu18* §3.1. Above a global average, explanations lose position information; see `ProportionalRule`.
public struct EvenRule: NamedRule {
  public static let name = "even"
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: OperatorKind.all(.average) + [.reduceSum])
  }

  public func conserves(at site: RuleSite) -> Bool { true }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.site.kind == .reduceSum { return FlatRule().propagate(relevance, through: layer) }
    return [layer.adjoint(of: layer.mean, times: relevance)[0]]
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { site.evenShareWarnings }
}
