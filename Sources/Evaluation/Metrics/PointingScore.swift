import RelevanceSupport

/// Whether a map points at an object. *Gu18* §5.2, Fig. 4; the maximum alone is the pointing game of J. Zhang et al.,
/// “Top-down neural attention by excitation backprop”, ECCV 2016.
public struct PointingScore: Sendable, Hashable, Codable {
  /// Whether the largest pixel is inside the region; false for a map of zeros.
  public var maximumHits: Bool
  /// The share of the energy in the largest pixels before the first of them that is outside of the region. The map hits
  /// up to this threshold. 1 if all energy is inside, 0 for a map of zeros.
  public var purity: Double
  /// The share of the energy inside the region, 0…1; 0 for a map of zeros.
  public var energyShare: Double
  /// Whether the map has no energy.
  public var isEmpty: Bool

  /// Compares a map with a region of the same size.
  ///
  /// - Throws: `RelevanceKitError` if the sizes of the region and the map differ.
  /// - Complexity: O(pixels).
  public init(_ map: SaliencyMap, in region: Region) throws {
    guard map.height == region.height, map.width == region.width else {
      throw SimpleError(
        "a region of \(region.height)×\(region.width) pixels; expected the map's \(map.height)×\(map.width)", .usage)
    }
    let energy = map.energy
    guard energy > 0 else {
      (maximumHits, purity, energyShare, isEmpty) = (false, 0, 0, true)
      return
    }
    // The first pixel outside of the region, in the order of the ranking.
    var first = map.values.count
    var value: Float = 0
    var inside = 0.0
    for (pixel, here) in map.values.enumerated() {
      if region.contains[pixel] {
        inside += Double(here)
      } else if here > value {
        (first, value) = (pixel, here)
      }
    }
    var before = 0.0
    for (pixel, here) in map.values.enumerated() where here > value || here == value && pixel < first {
      before += Double(here)
    }
    isEmpty = false
    maximumHits = map.maximum.map { region.contains[$0] } ?? false
    energyShare = inside / energy
    purity = first == map.values.count ? 1 : before / energy
  }

  /// Whether the largest pixels that together contain this share of the energy (0…1) are all inside the region; 0
  /// stands for the largest pixel.
  public func hits(at threshold: Double) -> Bool {
    !isEmpty && (threshold <= 0 ? maximumHits : maximumHits && purity >= threshold)
  }
}
