import Foundation

/// How many elements vectors are tried on: several whole ones and every tail.
let counts = 0...70
/// How many floats behind a boundary of 64 bytes memory starts.
let shifts = [0, 1, 3]

/// Floats between margins that nothing may write to, and that show when they are read: they are NaN.
final class Memory {
  private static let margin = 64
  private let whole: UnsafeMutableBufferPointer<Float>
  private let start: [Float]
  /// The first of the floats.
  let pointer: UnsafeMutablePointer<Float>

  /// Holds the values, `shift` floats behind a boundary of 64 bytes.
  init(_ values: [Float], shift: Int = 0) {
    start = values
    let count = values.count + 2 * Self.margin + shift
    let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
    whole = UnsafeMutableBufferPointer(start: raw.bindMemory(to: Float.self, capacity: count), count: count)
    whole.initialize(repeating: .nan)
    pointer = whole.baseAddress! + Self.margin + shift
    pointer.update(from: values, count: values.count)
  }

  /// Holds this many floats that are yet to be written.
  convenience init(count: Int, shift: Int = 0) { self.init([Float](repeating: .nan, count: count), shift: shift) }

  deinit { whole.deallocate() }

  /// How a result is compared with what it should be.
  enum Match {
    /// To the bit, any NaN being as good as another.
    case bits
    /// The same number: the order of additions does not matter, since all are exact.
    case number
    /// Up to this difference, relative to the largest expected magnitude.
    case within(Double)
  }

  /// Whether nothing was written to the margins.
  var isIntact: Bool {
    let first = pointer - whole.baseAddress!
    return whole.indices.allSatisfy {
      (first..<first + start.count).contains($0) || whole[$0].bitPattern == Float.nan.bitPattern
    }
  }

  /// The first element that is not what is expected, or a margin that was written to; nil if all is well. Elements for which
  /// nil is expected must be as they were.
  func difference(from expected: [Double?], _ match: Match = .number) -> String? {
    precondition(expected.count == start.count, "\(expected.count) expected for \(start.count) floats")
    guard isIntact else { return "what lies before or behind the elements was written" }
    let largest = expected.reduce(0) { max($0, abs($1 ?? 0)) }
    for (i, expected) in expected.enumerated() {
      let found = pointer[i]
      let agrees =
        switch (expected, match) {
        case (nil, _): found.bitPattern == start[i].bitPattern
        case (let expected?, .bits):
          found.isNaN && expected.isNaN || found.bitPattern == Float(expected).bitPattern
        case (let expected?, .number): found == Float(expected)
        case (let expected?, .within(let tolerance)): abs(Double(found) - expected) <= tolerance * largest
        }
      guard agrees else { return "element \(i): expected \(expected.map { "\($0)" } ?? "\(start[i])"), found \(found)" }
    }
    return nil
  }
}

/// Reproducible values.
struct Values {
  private var state: UInt64

  init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  private mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }

  /// Whole numbers in a range, whose sums and products are exact in any order.
  mutating func whole(_ count: Int, _ range: ClosedRange<Int> = -8...8, times factor: Int = 1) -> [Float] {
    (0..<count).map { _ in Float((range.lowerBound + next(below: range.count)) * factor) }
  }

  /// Fractions between −4 and 4.
  mutating func fractions(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next(below: 1 << 24)) * 0x1p-21 - 4 }
  }

  /// Fractions, zeros of both signs, and now and then a value that is not finite or hardly a number.
  mutating func any(_ count: Int) -> [Float] {
    let special: [Float] = [0, -0.0, 0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    return fractions(count).map { next(below: 3) == 0 ? special[next(below: special.count)] : $0 }
  }
}
