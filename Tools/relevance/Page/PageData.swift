import Foundation
import RelevanceKit

/// The data of the page's script. Nothing in it is visible without the script.
struct PageData: Encodable {
  struct MapEntry: Encodable {
    /// The titles of the target and of the method.
    let target: String
    let method: String
    let unit: String
    /// Whether values can be negative.
    let isSigned: Bool
    /// The values divided by `largest`, as little-endian half-precision numbers in row-major order, in Base64.
    let values: String
    let largest: Float
    /// The |r| of the full color on the map's own scale.
    let own: Float
    /// The |r| of the full color on the common scale.
    let common: Float
    let ledger: [LedgerRow]
  }

  struct LedgerRow: Encodable {
    let node: String
    let rule: String
    let arrives: Float
    let leaves: Float
    let magnitude: Float
    let losses: [String: Float]
  }

  let width: Int
  let height: Int
  /// The background of overlays, one byte per pixel in Base64; nil for tensors.
  let image: String?
  let maps: [MapEntry]
  /// The colors from −`steps` to +`steps`, three bytes each, in Base64.
  let ramps: [String: String]
  let steps: Int
  let opacity: Float
  /// The initial scale, and its |r| if it is fixed.
  let scale: String
  let fixed: Float?
  /// The keys and titles of the causes of absorption, in the order of the legend.
  let causes: [[String]]

  init(_ maps: [ShownMap], image: RGBImage?, scale: ScaleArgument, labels: Labels?) throws {
    let (width, height) = maps.first.map { ($0.heatmap.width, $0.heatmap.height) } ?? (0, 0)
    (self.width, self.height) = (width, height)
    let sums = maps.map { (values: $0.values, unit: $0.explanation.quantity) }
    let common = try ScaleArgument.common.scales(of: sums)
    self.maps = zip(maps, common).map { map, common in
      let (values, largest) = Self.halves(map.values.elements)
      return MapEntry(
        target: map.explanation.target.title(labels), method: map.explanation.methodTitle,
        unit: map.explanation.quantity, isSigned: map.heatmap.colors == .diverging, values: values, largest: largest,
        own: HeatmapScale.standard.limit(of: map.values.elements), common: common.limit(of: []),
        ledger: LedgerRow.rows(of: map.explanation.ledger))
    }
    let fitting = image.flatMap { $0.width == width && $0.height == height ? $0 : nil }
    self.image = fitting.map { Data(Heatmap.paled($0)).base64EncodedString() }
    ramps = Dictionary(uniqueKeysWithValues: HeatmapColors.allCases.map { ($0.rawValue, Self.table(of: $0)) })
    steps = HeatmapColors.steps
    opacity = Heatmap.fullOpacity
    (self.scale, fixed) =
      switch scale {
      case .own: ("own", nil)
      case .common: ("common", nil)
      case .fixed(let limit): ("fixed", limit)
      }
    causes = AbsorptionCause.allCases.map { [$0.rawValue, $0.title.lowercased()] }
  }

  private static func table(of colors: HeatmapColors) -> String {
    let bytes = (-HeatmapColors.steps...HeatmapColors.steps).flatMap { step in
      let color = colors.color(at: Float(step) / Float(HeatmapColors.steps))
      return [color.red, color.green, color.blue]
    }
    return Data(bytes).base64EncodedString()
  }

  /// The values divided by the largest magnitude, in half precision: 11 bits for values down to 6·10⁻⁵ of the largest.
  private static func halves(_ values: [Float]) -> (base64: String, largest: Float) {
    let largest = HeatmapScale.maximum.limit(of: values)
    let bytes = values.flatMap { value in
      let share = largest > 0 ? value / largest : value
      let half = abs(share) <= 1 ? share.halfBits : Self.notANumber
      return [UInt8(truncatingIfNeeded: half), UInt8(truncatingIfNeeded: half >> 8)]
    }
    return (Data(bytes).base64EncodedString(), largest)
  }

  /// A half-precision NaN.
  private static let notANumber: UInt16 = 0x7E00
}

extension PageData.LedgerRow {
  /// The rows of a ledger, without absorbed relevance in the order of rounding errors.
  static func rows(of ledger: Ledger) -> [PageData.LedgerRow] {
    let largest = ledger.map { max($0.magnitudeIn, $0.magnitudeOut) }.max() ?? 0
    return ledger.map { entry in
      PageData.LedgerRow(
        node: entry.node, rule: entry.rule, arrives: Float(entry.relevanceIn), leaves: Float(entry.relevanceOut),
        magnitude: Float(entry.magnitudeIn),
        losses: Dictionary(
          uniqueKeysWithValues: entry.losses.filter { abs($0.value) > 1e-6 * largest }.map {
            ($0.rawValue, Float($1))
          }))
    }
  }
}
