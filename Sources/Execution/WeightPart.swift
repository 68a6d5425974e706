import CRelevanceKernels

/// A modification of a layer's weights before they are used in a product.
public enum WeightPart: Hashable, Sendable {
  /// `positive·W⁺ + negative·W⁻`, where `W⁺ = max(W, 0)` and `W⁻ = min(W, 0)`.
  case scaled(positive: Float, negative: Float)
  /// W², element by element.
  case squared
  /// 1 for every weight.
  case ones

  /// W
  public static let all = WeightPart.scaled(positive: 1, negative: 1)
  /// W⁺
  public static let positive = WeightPart.scaled(positive: 1, negative: 0)
  /// W⁻
  public static let negative = WeightPart.scaled(positive: 0, negative: 1)

  package func callAsFunction(_ weight: Float) -> Float {
    switch self {
    case .scaled(let positive, let negative): weight * (weight > 0 ? positive : negative)
    case .squared: weight * weight
    case .ones: 1
    }
  }

  var kernel: rk_part {
    switch self {
    case .scaled(let positive, let negative): rk_part(form: RK_SCALED, positive: positive, negative: negative)
    case .squared: rk_part(form: RK_SQUARED, positive: 0, negative: 0)
    case .ones: rk_part(form: RK_ONES, positive: 0, negative: 0)
    }
  }
}
