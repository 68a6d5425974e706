import Foundation

/// A generator of reproducible random numbers, which are the same for the same seed on every machine. (G. Steele, D.
/// Lea, C. Flood, “Fast splittable pseudorandom number generators”, OOPSLA 2014.)
package struct SplitMix64: RandomNumberGenerator {
  package var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A uniform number in 0 ..< 1, in steps of 2⁻²⁴.
  package mutating func nextUniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A number in 0 ..< `bound`. All are equally likely, except for one part in 2⁶⁴ ÷ `bound`.
  package mutating func nextIndex(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// A normal number with mean 0 and standard deviation 1, by the method of Box and Muller.
  package mutating func nextNormal() -> Float {
    let radius = (-2 * log(1 - Double(next() >> 11) * 0x1p-53)).squareRoot()
    return Float(radius * cos(2 * Double.pi * Double(next() >> 11) * 0x1p-53))
  }
}
