/// The interval of one element.
package struct Interval: Sendable {
  package let lower: Float
  package let upper: Float

  package init(_ lower: Float, _ upper: Float) { (self.lower, self.upper) = (lower, upper) }

  /// The smallest interval that contains some values; nil if one of them is not finite.
  package init?(of values: [Float]) {
    guard let first = values.first, values.allSatisfy(\.isFinite) else { return nil }
    self.init(values.reduce(first, min), values.reduce(first, max))
  }

  func contains(_ value: Float) -> Bool { lower <= value && value <= upper }

  /// The values of a function that is monotone in each of two numbers while the other is constant.
  func corners(with other: Interval, _ function: (Float, Float) -> Float) -> Interval? {
    Interval(of: [
      function(lower, other.lower), function(lower, other.upper), function(upper, other.lower),
      function(upper, other.upper),
    ])
  }

  var squared: Interval? { Interval(of: [lower * lower, upper * upper] + (contains(0) ? [0] : [])) }
}
