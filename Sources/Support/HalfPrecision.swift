extension Float {
  /// The value of a half-precision number.
  @inlinable package init(halfBits bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 1023)
    switch exponent {
    case 0: self = Float(bitPattern: sign | 0x3F80_0000) * Float(fraction) * 0x1p-24
    case 31: self = Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: self = Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The bits of the nearest half-precision number, with ties to even, for finite numbers up to 65504.
  @inlinable package var halfBits: UInt16 {
    let sign = UInt16(bitPattern >> 16 & 0x8000)
    let magnitude = bitPattern & 0x7FFF_FFFF
    // Below 2⁻¹⁴ there are only multiples of 2⁻²⁴. Adding ½ leaves their rounded value in the lowest bits of the sum.
    if magnitude < 113 << 23 {
      let sum = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: sum.bitPattern &- Float(0.5).bitPattern)
    }
    let odd = magnitude >> 13 & 1
    return sign | UInt16(truncatingIfNeeded: (magnitude &- 112 << 23 &+ 0xFFF &+ odd) >> 13)
  }
}
