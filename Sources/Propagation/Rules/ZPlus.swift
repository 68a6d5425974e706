import Tensors

/// Rule z⁺: relevance goes to inputs in proportion to their positive contributions.
///
/// - Use: weighted layers above the first, whose inputs are rectified.
/// - Definition: `R_i = Σ_j (x_i w⁺_ij)⁺ / Σ_i' (x_i' w⁺_i'j)⁺ · R_j`, where for an input that may be negative the contribution
///   `x_i w_ij` counts when it is positive as a product: `x⁺w⁺ + x⁻w⁻`. For `x ≥ 0` that is `x_i w⁺_ij`. The same as αβ with
///   α = 1, β = 0.
/// - Parameters: none; `stabiliser` is added to the denominator, which cannot be negative.
/// - Bias: bypassed.
/// - Conservation: exact up to the stabiliser; an output without positive contributions sends nothing.
/// - Reference: *Montavon17* §4.2 eq. 14; *Gu18* §3 eq. 1.
public struct ZPlus: Rule {
  /// Added to denominators: far below any activation, far above rounding to zero.
  public static let stabiliser: Float = 1e-9

  /// Makes the rule.
  public init() {}

  public var description: String { "zPlus" }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: .conv, .convTranspose, .gemm) }

  public func usesPositiveProduct(at site: RuleSite) -> Bool { site.operandIsNonNegative[0] }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let x = layer.operand
    let terms =
      layer.site.operandIsNonNegative[0]
      ? [Term(input: x, part: .positive)]
      : [Term(input: x.positivePart, part: .positive), Term(input: x.map { min($0, 0) }, part: .negative)]
    return [layer.redistribute(relevance, by: terms, stabiliser: Self.stabiliser)]
  }
}
