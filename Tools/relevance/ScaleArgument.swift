import ArgumentParser
import RelevanceKit

/// The relevance that has the full color, as written on the command line: `own`, `common` or `fixed:V`.
enum ScaleArgument: Hashable, CustomStringConvertible {
  /// The 99.9th percentile of |r| in each map.
  case own
  /// The 99.9th percentile of |r| over all maps of an input with the same unit.
  case common
  /// A given |r|.
  case fixed(Float)

  /// Reads a scale.
  ///
  /// - Throws: `ValidationError` that lists the expected forms.
  init(parsing argument: String) throws {
    switch argument {
    case "own": self = .own
    case "common": self = .common
    default:
      let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == "fixed", let limit = Float(parts[1]), limit.isFinite, limit > 0 else {
        throw ValidationError("found scale \"\(argument)\"; expected \(Self.forms)")
      }
      self = .fixed(limit)
    }
  }

  /// The accepted forms.
  static let forms = "own, common, or fixed:V with a number V greater than 0"

  var description: String {
    switch self {
    case .own: "own"
    case .common: "common"
    case .fixed(let limit): "fixed:\(limit)"
    }
  }

  /// The scale of each of the maps of one input.
  func scales(of maps: [(values: Tensor, unit: String)]) throws -> [HeatmapScale] {
    switch self {
    case .own: return maps.map { _ in .standard }
    case .fixed(let limit): return maps.map { _ in .fixed(limit) }
    case .common:
      let groups = try Dictionary(grouping: maps, by: \.unit).mapValues { try HeatmapScale.common($0.map(\.values)) }
      return maps.map { groups[$0.unit]! }
    }
  }

  /// A description of the scale.
  func words(unit: String) -> String {
    switch self {
    case .own: "the 99.9th percentile of this map's |r|"
    case .common: "the 99.9th percentile of |r| over all maps in the unit “\(unit)”"
    case .fixed: "as given"
    }
  }
}
