/// A hash that identifies equal data: FNV-1a. (G. Fowler, L. Noll, K.-P. Vo)
package struct Fingerprint {
  @usableFromInline var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The fingerprint of the data that `add` adds.
  package init(_ add: (inout Fingerprint) -> Void) { add(&self) }

  @inlinable package mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }

  package mutating func add(_ text: String) {
    for byte in text.utf8 { add(UInt64(byte)) }
    // A separator, so that “ab”, “c” differs from “a”, “bc”.
    add(256)
  }

  package var hexadecimal: String { String(value, radix: 16) }
}
