import Foundation

/// A digest that mixes blocks of 64 bytes into a state of 32-bit words (FIPS 180-4).
package protocol Digest {
  /// The state before the first block.
  static var initialState: [UInt32] { get }
  /// Mixes whole blocks into the state.
  static func mix(_ state: inout [UInt32], _ blocks: UnsafeRawBufferPointer)
}

extension Digest {
  /// The bytes of the digest.
  ///
  /// - Complexity: O(count). The bytes are read once.
  package static func digest(of bytes: some ContiguousBytes) -> [UInt8] {
    var state = initialState
    bytes.withUnsafeBytes { finish(&state, $0, total: $0.count) }
    return state.flatMap(\.bigEndianBytes)
  }

  /// The bytes of the digest of a file, which is read in pieces.
  ///
  /// - Throws: `FileProblem`.
  package static func digest(ofFile path: String) throws -> [UInt8] {
    let file = try ReadableFile(path)
    var state = initialState
    var total = 0
    while true {
      let bytes = try file.read(upTo: 1 << 20)
      total += bytes.count
      let isLast = bytes.count < 1 << 20
      bytes.withUnsafeBytes { isLast ? finish(&state, $0, total: total) : mix(&state, $0) }
      if isLast { return state.flatMap(\.bigEndianBytes) }
    }
  }

  /// Mixes the last of `total` bytes and the padding into the state.
  private static func finish(_ state: inout [UInt32], _ bytes: UnsafeRawBufferPointer, total: Int) {
    let whole = bytes.count / 64 * 64
    mix(&state, UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
    // The padding is a one bit, zeros and the length in bits.
    var last = Array(bytes[whole...]) + [0x80]
    last += [UInt8](repeating: 0, count: (120 - last.count) % 64)
    last += (UInt64(total) * 8).bigEndianBytes
    last.withUnsafeBytes { mix(&state, $0) }
  }
}

extension FixedWidthInteger {
  fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

extension Sequence<UInt8> {
  /// Two lowercase digits for each byte.
  package var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
