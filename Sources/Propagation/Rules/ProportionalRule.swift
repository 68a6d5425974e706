import RelevanceNetworks
import RelevanceTensors

/// Proportional: the relevance of an average is distributed to its positions in proportion to their activations.
///
/// - Use: average pooling, global or windowed, over rectified activations.
/// - Definition: `R_i = x_i / Σ_i' x_i' · R_j`.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact; a window whose sum is 0 sends no relevance.
/// - Reference: *Bach15* eq. 56 with ε = 0: rule z for a layer with equal weights.
public struct ProportionalRule: NamedRule {
  public static let name = "proportional"
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: OperatorKind.all(.average) + [.reduceSum])
  }

  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.site.kind == .reduceSum { return ZRule().propagate(relevance, through: layer) }
    // The output is 0 exactly where the sum is 0.
    if layer.isBooking {
      layer.bookDivision(of: relevance, by: layer.isStepwise ? layer.relevantOutput : layer.output)
    }
    return [layer.sharedInProportion(relevance, to: layer.operand)]
  }
}
