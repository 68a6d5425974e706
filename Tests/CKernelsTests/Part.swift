import CRelevanceKernels

/// A modification of weights with its definition, exact for whole numbers.
struct Part: Sendable, CustomStringConvertible {
  let description: String
  let part: rk_part
  let of: @Sendable (Double) -> Double

  private static func scaled(_ positive: Float, _ negative: Float) -> Part {
    Part(
      description: "scaled by \(positive), \(negative)",
      part: rk_part(form: RK_SCALED, positive: positive, negative: negative)
    ) { max($0, 0) * Double(positive) + min($0, 0) * Double(negative) }
  }

  static let all = [
    scaled(1, 1), scaled(1, 0), scaled(0, 1), scaled(1.25, 1), scaled(-1, 0.5),
    Part(description: "squared", part: rk_part(form: RK_SQUARED, positive: 0, negative: 0)) { $0 * $0 },
    Part(description: "ones", part: rk_part(form: RK_ONES, positive: 0, negative: 0)) { _ in 1 },
  ]
}
