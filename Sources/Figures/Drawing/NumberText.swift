import Foundation

/// A number to so many significant digits, as it is printed: with a minus sign, and a power of ten instead of many zeros.
func numberText(_ value: Double, digits: Int) -> String {
  let parts = String(format: "%.\(digits)g", value).split(separator: "e")
  let factor = parts.first.map { $0.replacingOccurrences(of: "-", with: "−") } ?? ""
  guard parts.count == 2, let exponent = Int(parts[1]) else { return factor }
  return "\(factor)×\(powerOfTen(exponent))"
}

/// 10 to a power, as it is printed.
func powerOfTen(_ exponent: Int) -> String {
  let superscripts: [Character: Character] = [
    "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹",
  ]
  return "10" + String(String(exponent).map { superscripts[$0] ?? $0 })
}
