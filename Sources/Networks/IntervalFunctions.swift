/// What functions of elements make of intervals.
extension UnaryFunction {
  /// The values of the function on an interval; nil if they are not bounded or not numbers.
  func interval(_ x: Interval) -> Interval? {
    if self == .reciprocal, x.contains(0) { return nil }
    return Interval(of: [self(x.lower), self(x.upper)] + turningPoints.filter(x.contains).map { self($0) })
  }

  /// The values of the function, whatever its operand is; nil if they are not bounded.
  var bounds: Interval? {
    switch self {
    case .sigmoid, .hardSigmoid: Interval(0, 1)
    case .tanh, .erf: Interval(-1, 1)
    case .clip(let lowest, let highest) where lowest <= highest: Interval(of: [lowest, highest])
    default: nil
    }
  }

  /// Where the function stops falling and begins to rise, or the other way round: between two of these it is monotone.
  private var turningPoints: [Float] {
    switch self {
    case .abs: [0]
    case .elu(let alpha), .leakyRelu(let alpha): alpha < 0 ? [0] : []
    case .gelu(approximate: false): [-0.7517915]
    case .gelu(approximate: true): [-0.7524614]
    case .hardSwish: [-1.5]
    case .mish: [-1.1924312]
    // The reciprocal falls on both sides of its pole.
    case .ceil, .clip, .erf, .exp, .floor, .hardSigmoid, .log, .negate, .reciprocal, .round, .sigmoid, .softplus, .sqrt,
      .tanh:
      []
    }
  }
}

extension BinaryFunction {
  /// The values of the function on two intervals; nil if they are not bounded or not numbers.
  func interval(_ a: Interval, _ b: Interval) -> Interval? {
    switch self {
    case .subtract: Interval(of: [a.lower - b.upper, a.upper - b.lower])
    case .divide: b.contains(0) ? nil : corners(a, b)
    case .minimum, .maximum: Interval(of: [self(a.lower, b.lower), self(a.upper, b.upper)])
    case .power: power(a, b)
    }
  }

  private func power(_ a: Interval, _ b: Interval) -> Interval? {
    // b · ln a is monotone in each of both.
    if a.lower > 0 || a.lower == 0 && b.lower >= 0 { return corners(a, b) }
    // Whole powers of negative numbers are all that is left; even ones turn at 0.
    guard b.lower == b.upper, b.lower == b.lower.rounded(), b.lower >= 0 || !a.contains(0) else { return nil }
    return Interval(of: [self(a.lower, b.lower), self(a.upper, b.lower)] + (a.contains(0) ? [self(0, b.lower)] : []))
  }

  /// The interval of a function that is monotone in each operand while the other stays.
  private func corners(_ a: Interval, _ b: Interval) -> Interval? {
    Interval(of: [self(a.lower, b.lower), self(a.lower, b.upper), self(a.upper, b.lower), self(a.upper, b.upper)])
  }
}

extension Interval {
  static func + (a: Interval, b: Interval) -> Interval? { Interval(of: [a.lower + b.lower, a.upper + b.upper]) }

  static func * (a: Interval, b: Interval) -> Interval? {
    Interval(of: [a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper])
  }

  /// The squares of the values.
  var squared: Interval? {
    Interval(of: [lower * lower, upper * upper] + (contains(0) ? [0] : []))
  }
}
