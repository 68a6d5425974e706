import Foundation
import RelevanceSupport
import RelevanceTensors

/// The relevance that is shown in the full color of a heatmap.
public enum HeatmapScale: Hashable, Sendable, CustomStringConvertible {
  /// The largest |r| of the map: no value is clipped, but a single outlier can make all other pixels pale.
  case maximum
  /// The |r| that this percentage (0…100) of the pixels does not exceed; larger values are clipped to the full color.
  case percentile(Double)
  /// A given |r|, in the units of the relevance, for maps that are compared.
  case fixed(Float)

  /// The default: the 99.9th percentile, which clips 50 of 224×224 pixels.
  public static let standard = HeatmapScale.percentile(99.9)

  /// The common scale of several maps as a `fixed` scale, determined from all their pixels together.
  ///
  /// - Throws: `RelevanceKitError`, under the conditions of `Heatmap`'s initializer.
  /// - Complexity: O(n log n) for a percentile of n pixels, otherwise O(n).
  public static func common(_ maps: [Tensor], _ scale: HeatmapScale = .standard) throws -> HeatmapScale {
    try scale.check()
    return .fixed(scale.limit(of: try maps.flatMap { try Heatmap.channelSum($0).elements }))
  }

  /// - Throws: `RelevanceKitError` for a number that is negative or not finite.
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

  /// The |r| that is shown in the full color for these values. Values that are not finite are ignored.
  ///
  /// If the percentile is 0 because the map is 0 almost everywhere, the maximum is used; the limit is 0 only if all
  /// values are.
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
