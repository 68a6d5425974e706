import RelevanceTensors

/// Winner share: the relevance of a max-pooling window is distributed to its positions in proportion to their
/// activations.
///
/// - Use: max pooling, if winner-takes-all maps are too sparse.
/// - Definition: `R_i = x⁺_i / Σ_i' x⁺_i' · R_j` over the window, with `x⁺ = max(x, 0)`.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact; a window without a positive value sends no relevance.
/// - Reference: *Bach15* eq. 56 applied to the window.
public struct WinnerShareRule: NamedRule {
  public static let name = "winnerShare"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.maxPool]) }
  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    // The sum of a window is 0 exactly where its maximum is not positive.
    if layer.isBooking { layer.bookDivision(of: relevance, by: layer.output.positivePart) }
    let x = layer.site.operandIsNonNegative[0] ? layer.operand : layer.operand.positivePart
    return [layer.sharedInProportion(relevance, to: x)]
  }
}
