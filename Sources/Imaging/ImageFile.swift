import CRelevanceImaging
import Foundation
import RelevanceSupport
import RelevanceTensors

extension RGBImage {
  /// The largest number of pixels that a picture may have: 178 956 970, where Pillow too suspects a decompression bomb.
  public static let pixelLimit = 178_956_970

  /// Reads a JPEG or PNG file. Its content, not its name, decides which.
  ///
  /// Gray is repeated in all channels, CMYK and YCCK are taken in Adobe's convention and turned into RGB, palettes are
  /// looked up, and of 16-bit samples the upper 8 bits are kept. Transparency is ignored, as by Pillow's
  /// `convert("RGB")`: the network sees the colors that the file stores, whatever their alpha. An orientation in
  /// EXIF or XMP is applied. JPEG pixels are those of libjpeg-turbo's defaults (accurate integer DCT, smooth chroma upsampling).
  ///
  /// - Throws: `RelevanceKitError`. A file that is cut short or has lost data is an error, never a half-gray picture.
  public init(contentsOf file: some FileLocation) throws { self = try Self.read(file).upright }

  /// A picture, and what is to say of the file that it was read from.
  package struct Reading {
    /// The picture as it is meant to be seen.
    package let upright: RGBImage
    /// How the file stores it; annotations often refer to that.
    package let orientation: Orientation
    /// What is doubtful about its values, in a sentence; nil if nothing is.
    package let doubt: String?
  }

  /// Reads a JPEG or PNG file.
  package static func read(_ file: some FileLocation) throws -> Reading {
    try read(bytes(of: file.fileSystemPath), name: file.fileSystemPath)
  }

  /// Reads a picture from the bytes of a JPEG or PNG file.
  ///
  /// - Parameters:
  ///   - data: the file's bytes.
  ///   - name: what errors call it.
  ///   - limit: the largest number of pixels, from 1. A file that says that it has more is refused before anything is decompressed: what a
  ///     service that takes files from others asks for.
  /// - Throws: `RelevanceKitError`; see `init(contentsOf:)`.
  public init(decoding data: Data, name: String, pixelLimit limit: Int = RGBImage.pixelLimit) throws {
    self = try Self.read(data, name: name, pixelLimit: limit).upright
  }

  /// Reads a picture from the bytes of a JPEG or PNG file.
  package static func read(_ data: Data, name: String, pixelLimit limit: Int = pixelLimit) throws -> Reading {
    guard let format = ImageFormat(startOf: data) else {
      throw SimpleError("\(name): not a picture: expected JPEG or PNG, found \(describe(startOf: data))")
    }
    var picture = cimaging_picture()
    defer { cimaging_picture_release(&picture) }
    let status = data.withUnsafeBytes { raw in
      let bytes = raw.assumingMemoryBound(to: UInt8.self)
      return switch format {
      case .jpeg: cimaging_decode_jpeg(bytes.baseAddress, bytes.count, UInt64(limit), &picture)
      case .png: cimaging_decode_png(bytes.baseAddress, bytes.count, UInt64(limit), &picture)
      }
    }
    let (width, height) = (Int(picture.width), Int(picture.height))
    guard status == CIMAGING_OK, let pixels = picture.pixels else {
      let message = withUnsafeBytes(of: picture.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      let kind = format.rawValue
      throw switch status {
      case CIMAGING_TRUNCATED:
        SimpleError("\(name): truncated \(kind): expected more data, but the file ends after \(data.count) bytes")
      case CIMAGING_UNSUPPORTED:
        SimpleError(
          "\(name): \(kind) of an unsupported kind: expected 8-bit gray, RGB, YCbCr, CMYK or YCCK, found \(message)")
      case CIMAGING_TOO_LARGE: tooLarge(name, width: width, height: height, limit: limit)
      case CIMAGING_OUT_OF_MEMORY: SimpleError("\(name): not enough memory for the picture")
      default: SimpleError("\(name): damaged \(kind): \(message)")
      }
    }
    let stored = RGBImage(width: width, height: height) { $0.update(from: pixels, count: width * height * 3) }
    let exif = UnsafeBufferPointer(start: picture.exif, count: picture.exif_count)
    let xmp = UnsafeBufferPointer(start: picture.xmp, count: picture.xmp_count)
    let orientation = Orientation(exif: exif, xmp: xmp)
    let largest = picture.largest_16
    let doubt =
      (1...4095).contains(largest)
      ? "\(name): the largest of its 16-bit samples is \(largest), so they may have 12 bits; the upper 8 of 16 are used, which leaves the "
        + "picture nearly black: scale it before" : nil
    return Reading(upright: stored.oriented(orientation), orientation: orientation, doubt: doubt)
  }

  /// The picture as the bytes of an 8-bit RGB PNG file.
  ///
  /// - Throws: `RelevanceKitError` if the picture has no pixels, which PNG cannot express, or if memory is short.
  public func pngData() throws -> Data {
    guard width > 0, height > 0 else {
      throw SimpleError("a PNG of \(width)×\(height) pixels; expected one pixel or more", .usage)
    }
    var png = cimaging_bytes()
    let status = pixels.withUnsafeBufferPointer {
      cimaging_encode_png($0.baseAddress, Int32(width), Int32(height), &png)
    }
    defer { cimaging_bytes_release(&png) }
    guard status == CIMAGING_OK else { throw SimpleError("libpng could not encode \(width)×\(height) pixels") }
    return Data(bytes: png.bytes, count: png.count)
  }

  /// The picture as the bytes of a JPEG file, for pages with many of them.
  ///
  /// - Parameter quality: from 1 to 100.
  /// - Throws: `RelevanceKitError` if the picture has no pixels, or more along a side than JPEG can express.
  package func jpegData(quality: Int) throws -> Data {
    guard width > 0, height > 0 else {
      throw SimpleError("a JPEG of \(width)×\(height) pixels; expected one pixel or more", .usage)
    }
    var jpeg = cimaging_bytes()
    let status = pixels.withUnsafeBufferPointer {
      cimaging_encode_jpeg($0.baseAddress, Int32(width), Int32(height), Int32(quality), &jpeg)
    }
    defer { cimaging_bytes_release(&jpeg) }
    guard status == CIMAGING_OK else { throw SimpleError("libjpeg could not encode \(width)×\(height) pixels") }
    return Data(bytes: jpeg.bytes, count: jpeg.count)
  }

  /// Writes the picture as an 8-bit RGB PNG; the file appears under its name only when it is complete.
  ///
  /// - Throws: `RelevanceKitError`; then nothing is left behind, and a file that was there before is untouched.
  public func writePNG(to file: some FileLocation) throws {
    try AtomicFiles.write(pngData(), to: file.fileSystemPath)
  }

  static func tooLarge(_ name: String, width: Int, height: Int, limit: Int = pixelLimit) -> SimpleError {
    SimpleError("\(name): too large: expected at most \(limit) pixels, found \(width)×\(height)")
  }

  /// The bytes of a file that starts like a picture; of any other file, only as many as an error message needs.
  private static func bytes(of path: String) throws -> Data {
    try ReadableFile.reading(path, missing: "no such file; expected a JPEG or PNG picture") {
      let file = try ReadableFile(path)
      var data = try file.read(upTo: 64)
      if ImageFormat(startOf: data) != nil { data += try file.readToEnd() }
      return data
    }
  }
}

/// The formats that are read.
private enum ImageFormat: String {
  case jpeg = "JPEG"
  case png = "PNG"

  /// Recognizes a format by the first bytes of a file.
  init?(startOf data: Data) {
    if data.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if data.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else {
      return nil
    }
  }
}

/// What a file that is no picture looks like, for an error message.
private func describe(startOf data: Data) -> String {
  let start = [UInt8](data.prefix(64))
  if start.isEmpty { return "an empty file" }
  let known: [(offset: Int, magic: String, name: String)] = [
    (0, "GIF8", "a GIF"), (8, "WEBP", "a WebP"), (0, "BM", "a BMP"), (0, "II*\0", "a TIFF"), (0, "MM\0*", "a TIFF"),
    (0, "%PDF", "a PDF"), (4, "ftyp", "a HEIF, AVIF or MP4"), (1, "NUMPY", "a .npy file"), (0, "PK\u{3}\u{4}", "a ZIP"),
    (0, "version https://git-lfs", "a Git LFS pointer, which git lfs pull replaces"),
  ]
  if let match = known.first(where: { start.dropFirst($0.offset).starts(with: $0.magic.utf8) }) { return match.name }
  let isText = start.allSatisfy { $0 >= 0x20 && $0 != 0x7F || (9...13).contains($0) }
  if isText { return "text" }
  return "bytes " + start.prefix(4).map { [$0].hexadecimal }.joined(separator: " ")
}
