/// The SHA-1 digest (FIPS 180-4 §6.1), which ONNX uses as a checksum of external data. It is not used for security.
package enum SHA1: Digest {
  package static let initialState: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]

  package static func mix(_ state: inout [UInt32], _ blocks: UnsafeRawBufferPointer) {
    func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
    var words = [UInt32](repeating: 0, count: 80)
    for start in stride(from: 0, to: blocks.count, by: 64) {
      for i in 0..<16 {
        words[i] = UInt32(bigEndian: blocks.loadUnaligned(fromByteOffset: start + i * 4, as: UInt32.self))
      }
      for i in 16..<80 { words[i] = rotated(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1) }
      var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
      for i in 0..<80 {
        let (mixed, constant): (UInt32, UInt32) =
          switch i / 20 {
          case 0: (b & c | ~b & d, 0x5A82_7999)
          case 1: (b ^ c ^ d, 0x6ED9_EBA1)
          case 2: (b & c | b & d | c & d, 0x8F1B_BCDC)
          default: (b ^ c ^ d, 0xCA62_C1D6)
          }
        let next = rotated(a, 5) &+ mixed &+ e &+ constant &+ words[i]
        (e, d, c, b, a) = (d, c, rotated(b, 30), a, next)
      }
      for (i, word) in [a, b, c, d, e].enumerated() { state[i] &+= word }
    }
  }
}
