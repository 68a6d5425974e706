import Foundation
import RelevanceSupport
import RelevanceTensors

/// Which relevance gets the full color of a heatmap.
public enum HeatmapScale: Hashable, Sendable, CustomStringConvertible {
  /// The largest |r| of the map: nothing is clipped, and one outlier pixel can make all others pale.
  case maximum
  /// The |r| that this percentage (0…100) of the pixels does not exceed; what exceeds it is clipped to the full color.
  case percentile(Double)
  /// A given |r|, in the units of the relevance; for maps that are to be compared.
  case fixed(Float)

  /// What is used unless something else is asked for: the 99.9th percentile, so 50 of 224×224 pixels are clipped.
  public static let standard = HeatmapScale.percentile(99.9)

  /// The common scale of several maps: that of all their pixels together, as a `fixed` scale.
  ///
  /// - Throws: `RelevanceKitError`, as `Heatmap`'s initializer.
  /// - Complexity: O(n log n) for a percentile of n pixels, else O(n).
  public static func common(_ maps: [Tensor], _ scale: HeatmapScale = .standard) throws -> HeatmapScale {
    try scale.check()
    return .fixed(scale.limit(of: try maps.flatMap { try Heatmap.channelSum($0).elements }))
  }

  /// - Throws: `RelevanceKitError` for a number that is not finite or is negative.
  func check() throws {
    let number: Double? =
      switch self {
      case .maximum: nil
      case .percentile(let percentage): percentage
      case .fixed(let limit): Double(limit)
      }
    if let number, !(number >= 0 && number.isFinite) {
      throw SimpleError("heatmap scale \(self); expected a finite number of at least 0", .usage)
    }
  }

  /// The |r| that gets the full color among these values. Values that are not finite do not count.
  ///
  /// Where the percentile is 0 because the map is zero almost everywhere, the maximum is taken; 0 only if all are zero.
  package func limit(of values: [Float]) -> Float {
    switch self {
    case .fixed(let limit): return limit
    case .maximum: return values.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    case .percentile(let percentage):
      let magnitudes = values.lazy.filter(\.isFinite).map(abs).sorted()
      guard let largest = magnitudes.last else { return 0 }
      let rank = Int((Double(magnitudes.count) * min(max(percentage, 0), 100) / 100).rounded(.up))
      let limit = magnitudes[min(max(rank, 1), magnitudes.count) - 1]
      return limit > 0 ? limit : largest
    }
  }

  /// The scale in words, for a caption.
  public var description: String {
    switch self {
    case .maximum: "largest |r|"
    case .percentile(let percentage): "percentile \(percentage) of |r|"
    case .fixed(let limit): "|r| = \(limit)"
    }
  }
}
