import RelevanceTensors

/// Winner share: a max-pooling window's relevance goes to its positions in proportion to their activations.
///
/// - Use: max pooling, where maps of winner takes all are too sparse.
/// - Definition: `R_i = x⁺_i / Σ_i' x⁺_i' · R_j` over the window, with `x⁺ = max(x, 0)`.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact; a window without a positive value sends nothing.
/// - Reference: *Bach15* eq. 56 applied to the window.
public struct WinnerShareRule: NamedRule {
  public static let name = "winnerShare"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.maxPool]) }
  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    // The sum of a window is zero where its maximum is not positive.
    if layer.isBooking { layer.bookDivision(of: relevance, by: layer.output.positivePart) }
    let x = layer.site.operandIsNonNegative[0] ? layer.operand : layer.operand.positivePart
    return [layer.sharedInProportion(relevance, to: x)]
  }
}
