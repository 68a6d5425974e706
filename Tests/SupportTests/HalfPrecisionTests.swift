import RelevanceSupport
import Testing

@Suite("Half precision")
struct HalfPrecisionTests {
  @Test func everyHalfIsRead() throws {
    for bits in 0...UInt16.max {
      let found = Float(halfBits: bits)
      let sign: Float = bits & 0x8000 == 0 ? 1 : -1
      let (exponent, fraction) = (Int(bits >> 10 & 31), Float(bits & 1023) / 1024)
      switch exponent {
      case 31: if fraction == 0 { try #require(found == sign * .infinity) } else { try #require(found.isNaN) }
      case 0: try #require(found == sign * fraction * 0x1p-14 && found.sign == (sign < 0 ? .minus : .plus))
      default:
        try #require(found == sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1))
      }
    }
  }

  /// Between two neighbors, the nearer one is written. In a tie, it is the one whose last bit is 0.
  @Test func theNearestHalfIsWritten() throws {
    for bits in 0..<UInt16(0x7BFF) {
      let (low, high) = (Float(halfBits: bits), Float(halfBits: bits + 1))
      let middle = (low + high) / 2
      try #require(low.halfBits == bits && (-high).halfBits == bits + 1 | 0x8000)
      try #require(middle.halfBits == (bits % 2 == 0 ? bits : bits + 1))
      try #require(middle.nextDown.halfBits == bits && middle.nextUp.halfBits == bits + 1)
    }
  }
}
