import Foundation

/// An axis of a chart: its quantity and its range.
package struct ChartAxis: Hashable, Sendable {
  /// The quantity, with its unit.
  package var label: String
  /// The values at the ends of the axis; nil for round numbers around all data.
  package var range: ClosedRange<Double>?
  /// The marks of the axis with their labels, in increasing order; empty for round numbers.
  package private(set) var marks: [Mark] = []

  /// A labeled position on an axis, for example on an axis that is not linear.
  package struct Mark: Hashable, Sendable {
    package var value: Double
    package var label: String

    package init(_ value: Double, _ label: String) { (self.value, self.label) = (value, label) }
  }

  /// Creates an axis with at least two given marks, from the first to the last. Traps under the conditions of
  /// `init(_:range:)`.
  package init(_ label: String, marks: [Mark]) {
    precondition(marks.count > 1, "an axis needs two marks")
    self.init(label, range: marks[0].value...marks[marks.count - 1].value)
    self.marks = marks
  }

  /// Creates an axis. Traps unless the ends of `range` are finite and differ by more than 1e-290.
  package init(_ label: String, range: ClosedRange<Double>? = nil) {
    if let range {
      precondition(
        range.upperBound - range.lowerBound > Self.smallest && (range.upperBound - range.lowerBound).isFinite,
        "an axis cannot span \(range)")
    }
    (self.label, self.range) = (label, range)
  }

  /// The scale for the given data, which may contain values that are not finite, with about `count` ticks.
  package func scale(for values: some Sequence<Double>, ticks count: Int) -> ChartScale {
    if let range, !marks.isEmpty { return ChartScale(range, marks: marks) }
    if let range { return ChartScale(range, ticks: count, isExtended: false) }
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where abs(value) <= Self.largest { (low, high) = (min(low, value), max(high, value)) }
    if low > high { (low, high) = (0, 1) }
    if high - low <= max(max(abs(low), abs(high)) * 1e-9, Self.smallest) {
      let room = abs(low) <= Self.smallest ? 0.5 : abs(low) / 2
      (low, high) = (low - room, high + room)
    }
    return ChartScale(low...high, ticks: count, isExtended: true)
  }

  /// The range in which differences and powers of ten can be computed.
  private static let (smallest, largest) = (1e-290, 1e290)
}

/// The numbers of an axis: its ends, and round numbers between them.
package struct ChartScale: Sendable {
  package let range: ClosedRange<Double>
  /// The marked values, in increasing order, all within `range`.
  package let ticks: [Double]
  /// The exponent of the power of ten by which tick labels are divided.
  package let exponent: Int
  private let decimals: Int
  /// Given labels, by tick.
  private var labels: [Double: String] = [:]

  /// Creates a scale with given labels.
  init(_ range: ClosedRange<Double>, marks: [ChartAxis.Mark]) {
    (self.range, exponent, decimals) = (range, 0, 0)
    ticks = marks.map(\.value)
    labels = Dictionary(marks.map { ($0.value, $0.label) }) { first, _ in first }
  }

  /// Creates a scale with multiples of 1, 2, 2.5 or 5 times a power of ten. An extended scale ends at such multiples.
  init(_ range: ClosedRange<Double>, ticks count: Int, isExtended: Bool) {
    let (low, high) = (range.lowerBound, range.upperBound)
    let coarse = (high - low) / Double(max(count, 1))
    let power = Int(log10(coarse).rounded(.down))
    let unit = pow(10, Double(power))
    // A small tolerance, so that rounding errors do not select a coarser step.
    let least: Double = coarse * (1 - 1e-9)
    let factor = [1.0, 2.0, 2.5, 5.0].first { $0 * unit >= least } ?? 10.0
    let step = factor * unit
    func index(_ value: Double, outward: Double) -> Double {
      let exact = value / step
      let nearest = exact.rounded()
      if abs(exact - nearest) < 1e-6 { return nearest }
      return outward < 0 ? exact.rounded(.down) : exact.rounded(.up)
    }
    let first = isExtended ? index(low, outward: -1) : index(low, outward: 1)
    let last = isExtended ? index(high, outward: 1) : index(high, outward: -1)
    ticks = first > last ? [] : (0...Int(last - first)).map { (first + Double($0)) * step }
    self.range = isExtended ? min(ticks[0], low)...max(ticks[ticks.count - 1], high) : low...high
    let largest = max(abs(low), abs(high))
    let magnitude = Int(log10(largest).rounded(.down))
    exponent = (-4..<5).contains(magnitude) ? 0 : magnitude
    decimals = max(0, exponent - power + (factor == 2.5 ? 1 : 0) - (factor == 10 ? 1 : 0))
  }

  /// The position of a value: 0 at the lower end and 1 at the upper end.
  func position(_ value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

  package func label(_ tick: Double) -> String {
    if let label = labels[tick] { return label }
    let text = String(format: "%.\(decimals)f", tick / pow(10, Double(exponent)))
    let isZero = text.allSatisfy { "-0.".contains($0) }
    return text.replacingOccurrences(of: "-", with: isZero ? "" : "−")
  }

  /// The label of an axis, followed by the power of ten by which tick labels are divided.
  func title(_ label: String) -> String {
    guard exponent != 0 else { return label }
    let power = "×" + powerOfTen(exponent)
    return label.isEmpty ? power : "\(label) (\(power))"
  }
}

/// A number with the given number of significant digits, with a minus sign, and a power of ten instead of many zeros.
func numberText(_ value: Double, digits: Int) -> String {
  let parts = String(format: "%.\(digits)g", value).split(separator: "e")
  let factor = parts.first.map { $0.replacingOccurrences(of: "-", with: "−") } ?? ""
  guard parts.count == 2, let exponent = Int(parts[1]) else { return factor }
  return "\(factor)×\(powerOfTen(exponent))"
}

/// A power of ten as text.
func powerOfTen(_ exponent: Int) -> String {
  let superscripts: [Character: Character] = [
    "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹",
  ]
  return "10" + String(String(exponent).map { superscripts[$0] ?? $0 })
}
