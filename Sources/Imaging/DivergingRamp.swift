import Foundation

/// The colours from blue over white to red.
///
/// Each side is a straight line in the Oklab colour space (B. Ottosson, 2020), from white to a saturated dark end. Both
/// ends have the same lightness, so lightness depends on the magnitude alone and falls linearly with it.
enum DivergingRamp {
  /// The colour of values that are no numbers.
  static let notFinite = Color(red: 128, green: 128, blue: 128)

  /// The colour at a position in −1…1, clamped: −1 is the blue end, 0 white, 1 the red end.
  static func color(at position: Float) -> Color {
    let index = Int((min(abs(position), 1) * Float(steps)).rounded())
    return position < 0 ? blues[index] : reds[index]
  }

  private static let steps = 255
  private static let endLightness = 0.45
  private static let reds = side(chroma: 0.18, hue: 27)
  private static let blues = side(chroma: 0.18, hue: 260)

  /// `steps` + 1 colours from white to the end that has this Oklab chroma and hue (in degrees).
  private static func side(chroma: Double, hue: Double) -> [Color] {
    let (a, b) = (chroma * cos(hue * .pi / 180), chroma * sin(hue * .pi / 180))
    return (0...steps).map { step in
      let t = Double(step) / Double(steps)
      return color(lightness: 1 - t * (1 - endLightness), a: t * a, b: t * b)
    }
  }

  /// Oklab → sRGB.
  private static func color(lightness: Double, a: Double, b: Double) -> Color {
    let long = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
    let medium = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
    let short = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
    return Color(
      red: byte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
      green: byte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
      blue: byte(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short))
  }

  /// Linear light → 8-bit sRGB.
  private static func byte(_ linear: Double) -> UInt8 {
    let light = max(0, min(1, linear))
    let encoded = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055
    return UInt8((encoded * 255).rounded())
  }
}
