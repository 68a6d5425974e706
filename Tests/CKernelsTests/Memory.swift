import Foundation

/// The numbers of elements that are tested: several full vectors and every tail.
let counts = 0...70
/// The offsets of memory, in floats after a boundary of 64 bytes.
let shifts = [0, 1, 3]

/// Floats between margins that must not be written. The margins are NaN, so that reading them shows in results.
final class Memory {
  private static let margin = 64
  private let whole: UnsafeMutableBufferPointer<Float>
  private let start: [Float]
  /// The first of the floats.
  let pointer: UnsafeMutablePointer<Float>

  /// Creates memory with the values, `shift` floats after a boundary of 64 bytes.
  init(_ values: [Float], shift: Int = 0) {
    start = values
    let count = values.count + 2 * Self.margin + shift
    let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
    whole = UnsafeMutableBufferPointer(start: raw.bindMemory(to: Float.self, capacity: count), count: count)
    whole.initialize(repeating: .nan)
    pointer = whole.baseAddress! + Self.margin + shift
    pointer.update(from: values, count: values.count)
  }

  /// Creates memory for the given number of floats, which are not yet written.
  convenience init(count: Int, shift: Int = 0) { self.init([Float](repeating: .nan, count: count), shift: shift) }

  deinit { whole.deallocate() }

  /// How a result is compared with the expected values.
  enum Match {
    /// To the bit; all NaN are equal.
    case bits
    /// The same number, for exact sums in any order.
    case number
    /// Up to a difference relative to the largest expected magnitude.
    case within(Double)
  }

  /// Whether the margins were not written.
  var isIntact: Bool {
    let first = pointer - whole.baseAddress!
    return whole.indices.allSatisfy {
      (first..<first + start.count).contains($0) || whole[$0].bitPattern == Float.nan.bitPattern
    }
  }

  /// A description of the first element that differs from the expected value, or of a margin that was written; nil if
  /// all are correct. Elements with the expected value nil must be unchanged.
  func difference(from expected: [Double?], _ match: Match = .number) -> String? {
    precondition(expected.count == start.count, "\(expected.count) expected for \(start.count) floats")
    guard isIntact else { return "memory before or after the elements was written" }
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

  /// Fractions, zeros of both signs, and occasional values that are not finite or are subnormal.
  mutating func any(_ count: Int) -> [Float] {
    let special: [Float] = [0, -0.0, 0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    return fractions(count).map { next(below: 3) == 0 ? special[next(below: special.count)] : $0 }
  }
}
