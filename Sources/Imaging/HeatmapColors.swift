import Foundation
import RelevanceTensors

/// The colors of a heatmap. In both ramps zero is white, and lightness decreases steadily as |r| grows.
public enum HeatmapColors: String, Hashable, Sendable, CaseIterable {
  /// From blue through white to red, for maps of both signs. Lightness depends on |r| only.
  ///
  /// Each side is a straight line in Oklab from white to a saturated dark end; both ends have the same lightness.
  case diverging
  /// From white through orange and magenta to nearly black, for maps that are never negative. It has more than one and
  /// a half times as many steps of lightness as one side of `diverging`. Negative values whose size exceeds half a step
  /// are gray.
  ///
  /// Lightness is linear in Oklab; the hue changes, and the chroma rises and falls.
  case sequential

  /// The colors of maps that are shown together: diverging only if a negative value would be visible. `limit` is the
  /// |r| of the full color.
  package init(for maps: [Tensor], limit: Float) {
    let least = -limit / Float(2 * Self.steps)
    self = maps.contains { $0.elements.contains { $0 < least } } ? .diverging : .sequential
  }

  /// The color of values that are not finite, or that the ramp has no color for.
  package static let notFinite = RGBColor(red: 128, green: 128, blue: 128)
  /// The number of steps from zero to the full color.
  public static let steps = 255

  /// The color at a position in −1…1, clamped; 0 is white.
  public func color(at position: Float) -> RGBColor {
    let index = Int((min(abs(position), 1) * Float(Self.steps)).rounded())
    // Slightly negative values are shown as zero.
    guard position < 0, index > 0 else { return self == .diverging ? Self.reds[index] : Self.sequence[index] }
    return self == .diverging ? Self.blues[index] : Self.notFinite
  }

  private static let reds = side(hue: 27)
  private static let blues = side(hue: 260)
  private static let sequence = ramp { t in (1 - 0.75 * t, 0.165 * sin(.pi * 0.86 * t), 95 - 145 * t) }

  private static func side(hue: Double) -> [RGBColor] { ramp { t in (1 - 0.55 * t, 0.18 * t, hue) } }

  /// `steps` + 1 colors, from white at 0 to the end at 1.
  private static func ramp(_ path: (Double) -> (lightness: Double, chroma: Double, hue: Double)) -> [RGBColor] {
    (0...steps).map { step in
      let point = path(Double(step) / Double(steps))
      return Oklab.color(lightness: point.lightness, chroma: point.chroma, hue: point.hue)
    }
  }
}
