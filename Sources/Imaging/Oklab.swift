import Foundation

/// Colors of the Oklab space (B. Ottosson, 2020), in which equal distances appear equal.
enum Oklab {
  /// The 8-bit sRGB color for a lightness of 0…1 and a chroma at a hue in degrees, clamped to the sRGB gamut.
  static func color(lightness: Double, chroma: Double, hue: Double) -> RGBColor {
    let (a, b) = (chroma * cos(hue * .pi / 180), chroma * sin(hue * .pi / 180))
    let long = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
    let medium = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
    let short = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
    return RGBColor(
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
