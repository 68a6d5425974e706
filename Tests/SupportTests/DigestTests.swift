import RelevanceSupport
import Testing

@Suite("Digests")
struct DigestTests {
  /// The digests of sha1sum, for lengths near those that need a second final block.
  @Test(arguments: [
    (0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"), (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
    (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"), (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
    (119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"), (1000, "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
  ])
  func sha1(count: Int, digest: String) {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: count)
    #expect(SHA1.digest(of: bytes).hexadecimal == digest)
  }

  /// The digests of sha256sum.
  @Test(arguments: [
    (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
    (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
    (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    (119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"),
    (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
  ])
  func sha256(count: Int, digest: String) {
    #expect(SHA256.digest(of: [UInt8](repeating: UInt8(ascii: "a"), count: count)).hexadecimal == digest)
  }

  /// FNV-1a of one byte, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv).
  @Test func fingerprint() {
    #expect(Fingerprint { $0.add(UInt64(UInt8(ascii: "a"))) }.hexadecimal == "af63dc4c8601ec8c")
  }
}
