import Foundation

/// A digest of the kind that mixes blocks of 64 bytes into a state of 32-bit words (FIPS 180-4).
package protocol Digest {
  /// What is mixed into.
  static var initialState: [UInt32] { get }
  /// Mixes whole blocks into the state.
  static func mix(_ state: inout [UInt32], _ blocks: UnsafeRawBufferPointer)
}

extension Digest {
  /// The bytes of the digest.
  ///
  /// - Complexity: O(count); one read of the bytes.
  package static func digest(of bytes: some ContiguousBytes) -> [UInt8] {
    var state = initialState
    bytes.withUnsafeBytes { bytes in
      let whole = bytes.count / 64 * 64
      mix(&state, UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
      // The rest is followed by a one bit, zeros, and the length in bits.
      var last = Array(bytes[whole...]) + [0x80]
      last += [UInt8](repeating: 0, count: (120 - last.count) % 64)
      last += (UInt64(bytes.count) * 8).bigEndianBytes
      last.withUnsafeBytes { mix(&state, $0) }
    }
    return state.flatMap(\.bigEndianBytes)
  }
}

extension FixedWidthInteger {
  fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

extension Sequence<UInt8> {
  /// Two digits of each byte, in small letters.
  package var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
