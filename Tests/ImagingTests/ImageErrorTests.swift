import Foundation
import RelevanceImaging
import RelevanceSupport
import RelevanceTensors
import Testing

@Suite("Errors for invalid images")
struct ImageErrorTests {
  /// The error message for a file with the given content.
  private func sentence(about content: Data, as name: String) -> String {
    ImagingTests.sentence { _ = try RGBImage(decoding: content, name: name) }
  }

  private func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: fixture(name))) }

  @Test func missing() {
    let path = "no/such/image.jpg"
    #expect(
      ImagingTests.sentence { _ = try RGBImage(contentsOf: path) }
        == "no/such/image.jpg: no such file; expected a JPEG or PNG image")
    let error = #expect(throws: SimpleError.self) { try RGBImage(contentsOf: path) }
    #expect(error?.category == .missingInput)
  }

  @Test func directory() {
    #expect(ImagingTests.sentence { _ = try RGBImage(contentsOf: "/") } == "/: cannot be read: it is a folder")
  }

  @Test(arguments: [
    ("Just a note.\nNothing more.\n", "text"), ("", "an empty file"), ("GIF89a\u{1}", "a GIF"), ("%PDF-1.7", "a PDF"),
    ("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ", "a WebP"), ("\u{1}\u{2}\u{3}\u{4}\u{5}", "bytes 01 02 03 04"),
  ])
  func notAnImage(content: String, found: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/photo.jpg"
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      #expect(
        ImagingTests.sentence(without: folder) { _ = try RGBImage(contentsOf: path) }
          == "photo.jpg: not an image: expected JPEG or PNG, found \(found)")
    }
    let error = #expect(throws: SimpleError.self) { try RGBImage(decoding: Data(content.utf8), name: "") }
    #expect(error?.category == .badData)
  }

  @Test(arguments: ["jpeg/color-420.jpg", "jpeg/cmyk.jpg"]) func moreThanTheGivenLimit(name: String) throws {
    let content = try data(name)
    let image = try RGBImage(decoding: content, name: "photo.jpg")
    let pixels = image.width * image.height
    #expect(try RGBImage(decoding: content, name: "photo.jpg", pixelLimit: pixels) == image)
    #expect(
      ImagingTests.sentence { _ = try RGBImage(decoding: content, name: "photo.jpg", pixelLimit: pixels - 1) }
        == "photo.jpg: too large: expected at most \(pixels - 1) pixels, found \(image.width)×\(image.height)")
  }

  @Test(arguments: ["color-420.jpg", "progressive.jpg", "gray.jpg", "restarts.jpg", "cmyk.jpg"])
  func truncatedJPEG(name: String) throws {
    let whole = try data("jpeg/\(name)")
    for count in stride(from: 3, to: whole.count, by: 7) + [whole.count - 2, whole.count - 1] {
      #expect(
        sentence(about: whole.prefix(count), as: "photo.jpg")
          == "photo.jpg: truncated JPEG: expected more data, but the file ends after \(count) bytes")
    }
  }

  @Test(arguments: ["rgb.png", "rgb-interlaced.png", "palette-4.png"])
  func truncatedPNG(name: String) throws {
    let whole = try data("png/\(name)")
    for count in stride(from: 8, to: whole.count, by: 5) + [whole.count - 1] {
      #expect(
        sentence(about: whole.prefix(count), as: "photo.png")
          == "photo.png: truncated PNG: expected more data, but the file ends after \(count) bytes")
    }
  }

  @Test func damagedJPEG() throws {
    // An end marker in the middle of the pixels: libjpeg would warn and fill the rest with gray.
    var jpeg = try data("jpeg/color-444.jpg")
    jpeg = jpeg.prefix(jpeg.count - 300) + [0xFF, 0xD9]
    #expect(
      sentence(about: jpeg, as: "photo.jpg")
        == "photo.jpg: damaged JPEG: Corrupt JPEG data: premature end of data segment")
    #expect(
      sentence(about: Data([0xFF, 0xD8, 0xFF, 0xD9]), as: "photo.jpg")
        == "photo.jpg: damaged JPEG: JPEG datastream contains no image")
  }

  @Test func damagedPNG() throws {
    var png = try data("png/rgb.png")
    png[png.count - 14] ^= 0xFF  // In the checksum of the pixels, which the 12 bytes of IEND follow.
    #expect(sentence(about: png, as: "photo.png") == "photo.png: damaged PNG: IDAT: CRC error")
  }

  @Test func unsupportedJPEG() throws {
    // Frame type 0xC3: lossless.
    var jpeg = try data("jpeg/color-444.jpg")
    let frame = try #require(jpeg.firstRange(of: Data([0xFF, 0xC0])))
    jpeg[frame.lowerBound + 1] = 0xC3
    #expect(
      sentence(about: jpeg, as: "photo.jpg")
        == "photo.jpg: JPEG of an unsupported kind: expected 8-bit gray, RGB, YCbCr, CMYK or YCCK, found "
        + "Unsupported JPEG process: SOF type 0xc3")
  }

  @Test func absurdSizes() throws {
    var jpeg = try data("jpeg/color-444.jpg")
    let frame = try #require(jpeg.firstRange(of: Data([0xFF, 0xC0])))
    for offset in 5..<9 { jpeg[frame.lowerBound + offset] = 0xF0 }
    #expect(
      sentence(about: jpeg, as: "bomb.jpg")
        == "bomb.jpg: too large: expected at most 178956970 pixels, found 61680×61680")
    // 2147483647 pixels wide, with a valid checksum.
    var png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13])
    let header = Data("IHDR".utf8) + [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 8, 0, 0, 0, 0]
    png += header + bigEndian(crc32(header)) + [0, 0, 0, 0] + Data("IDAT".utf8) + bigEndian(crc32(Data("IDAT".utf8)))
    #expect(
      sentence(about: png, as: "bomb.png")
        == "bomb.png: too large: expected at most 178956970 pixels, found 2147483647×1")
  }

  /// Any bytes give an image or an error, and never a crash.
  @Test(arguments: ["jpeg/progressive.jpg", "jpeg/orientation-6.jpg", "png/palette-4.png", "png/orientation-6.png"])
  func flippedBytes(name: String) throws {
    let whole = try data(name)
    for position in whole.indices {
      var damaged = whole
      damaged[position] ^= UInt8(truncatingIfNeeded: position &* 37 | 1)
      do { _ = try RGBImage(decoding: damaged, name: name) } catch is SimpleError {}
    }
  }

  private func bigEndian(_ value: UInt32) -> Data {
    Data((0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
  }

  private func crc32(_ data: Data) -> UInt32 {
    ~data.reduce(~0) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1) &* 0xEDB8_8320 }
    }
  }
}
