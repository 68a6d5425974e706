import Foundation
import RelevanceTensors

/// The colors of a heatmap. In both ramps zero is white, and lightness falls steadily as |r| grows.
public enum HeatmapColors: String, Hashable, Sendable, CaseIterable {
  /// Blue over white to red, for maps of both signs. Lightness depends on |r| alone.
  ///
  /// Each side is a straight line in Oklab from white to a saturated dark end; both ends have the same lightness.
  case diverging
  /// White over orange and magenta to nearly black, for maps that are never negative: more than one and a half times as many
  /// steps of lightness as one side of `diverging`. What is negative all the same, by more than half a step, is gray.
  ///
  /// Lightness is linear in Oklab, while the hue turns and the chroma rises and falls.
  case sequential

  /// The colors of maps that are shown together: of both signs only if a negative value would be seen. `limit` is the |r| of the
  /// full color.
  package init(for maps: [Tensor], limit: Float) {
    let least = -limit / Float(2 * Self.steps)
    self = maps.contains { $0.elements.contains { $0 < least } } ? .diverging : .sequential
  }

  /// The color of values that are no numbers, or that the ramp has no color for.
  package static let notFinite = RGBColor(red: 128, green: 128, blue: 128)
  /// The number of steps from zero to the full color.
  public static let steps = 255

  /// The color at a position in −1…1, clamped; 0 is white.
  public func color(at position: Float) -> RGBColor {
    let index = Int((min(abs(position), 1) * Float(Self.steps)).rounded())
    // What is hardly negative is zero to the eye.
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
