import CRelevanceImaging
import Foundation
import RelevanceSupport
import RelevanceTensors

extension RGBImage {
  /// The largest number of pixels in an image: 178 956 970, above which Pillow also suspects a decompression bomb.
  public static let pixelLimit = 178_956_970

  /// Reads a JPEG or PNG file. The format is detected from the content, not from the name.
  ///
  /// Gray is copied to all channels, CMYK and YCCK are converted to RGB by Adobe's convention, palettes are resolved,
  /// and 16-bit samples keep their upper 8 bits. Transparency is ignored, as by Pillow's `convert("RGB")`: the network
  /// receives the stored colors, regardless of their alpha. An orientation in EXIF or XMP is applied. JPEG pixels are
  /// those of libjpeg-turbo's defaults (accurate integer DCT, smooth chroma upsampling).
  ///
  /// - Throws: `RelevanceKitError`. A file that is truncated or has lost data is an error, never a half-gray image.
  public init(contentsOf file: some FileLocation) throws { self = try Self.read(file).upright }

  /// An image, and remarks about the file that it was read from.
  package struct Reading {
    /// The image in its intended orientation.
    package let upright: RGBImage
    /// The orientation of the stored pixels, to which annotations often refer.
    package let orientation: Orientation
    /// A warning about doubtful values, in a sentence; nil if there is none.
    package let doubt: String?
  }

  /// Reads a JPEG or PNG file.
  package static func read(_ file: some FileLocation) throws -> Reading {
    try read(bytes(of: file.fileSystemPath), name: file.fileSystemPath)
  }

  /// Reads an image from the bytes of a JPEG or PNG file.
  ///
  /// - Parameters:
  ///   - data: the file's bytes.
  ///   - name: the name of the file in errors.
  ///   - limit: the largest number of pixels, at least 1. A file that declares more is rejected before anything is
  ///     decompressed, which protects services that accept files from others.
  /// - Throws: `RelevanceKitError`; see `init(contentsOf:)`.
  public init(decoding data: Data, name: String, pixelLimit limit: Int = RGBImage.pixelLimit) throws {
    self = try Self.read(data, name: name, pixelLimit: limit).upright
  }

  /// Reads an image from the bytes of a JPEG or PNG file.
  package static func read(_ data: Data, name: String, pixelLimit limit: Int = pixelLimit) throws -> Reading {
    guard let format = ImageFormat(startOf: data) else {
      throw SimpleError("\(name): not an image: expected JPEG or PNG, found \(describe(startOf: data))")
    }
    var decoded = cimaging_image()
    defer { cimaging_image_release(&decoded) }
    let status = data.withUnsafeBytes { raw in
      let bytes = raw.assumingMemoryBound(to: UInt8.self)
      return switch format {
      case .jpeg: cimaging_decode_jpeg(bytes.baseAddress, bytes.count, UInt64(limit), &decoded)
      case .png: cimaging_decode_png(bytes.baseAddress, bytes.count, UInt64(limit), &decoded)
      }
    }
    let (width, height) = (Int(decoded.width), Int(decoded.height))
    guard status == CIMAGING_OK, let pixels = decoded.pixels else {
      let message = withUnsafeBytes(of: decoded.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      let kind = format.rawValue
      throw switch status {
      case CIMAGING_TRUNCATED:
        SimpleError("\(name): truncated \(kind): expected more data, but the file ends after \(data.count) bytes")
      case CIMAGING_UNSUPPORTED:
        SimpleError(
          "\(name): \(kind) of an unsupported kind: expected 8-bit gray, RGB, YCbCr, CMYK or YCCK, found \(message)")
      case CIMAGING_TOO_LARGE: tooLarge(name, width: width, height: height, limit: limit)
      case CIMAGING_OUT_OF_MEMORY: SimpleError("\(name): not enough memory for the image")
      default: SimpleError("\(name): damaged \(kind): \(message)")
      }
    }
    let stored = RGBImage(width: width, height: height) { $0.update(from: pixels, count: width * height * 3) }
    let exif = UnsafeBufferPointer(start: decoded.exif, count: decoded.exif_count)
    let xmp = UnsafeBufferPointer(start: decoded.xmp, count: decoded.xmp_count)
    let orientation = Orientation(exif: exif, xmp: xmp)
    let largest = decoded.largest_16
    let doubt =
      (1...4095).contains(largest)
      ? "\(name): the largest of its 16-bit samples is \(largest), so they may have 12 bits; only the upper 8 of 16 bits are used, "
        + "so the image is nearly black; scale its samples to 16 bits first" : nil
    return Reading(upright: stored.oriented(orientation), orientation: orientation, doubt: doubt)
  }

  /// The image as the bytes of an 8-bit RGB PNG file.
  ///
  /// - Throws: `RelevanceKitError` if the image has no pixels, which PNG cannot represent, or if memory is
  ///   insufficient.
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

  /// The image as the bytes of a JPEG file, for pages with many images.
  ///
  /// - Parameter quality: the quality, from 1 to 100.
  /// - Throws: `RelevanceKitError` if the image has no pixels, or has a side that is longer than JPEG can represent.
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

  /// Writes the image as an 8-bit RGB PNG. The file appears under its name only when it is complete.
  ///
  /// - Throws: `RelevanceKitError`; then no file is left, and an existing file is unchanged.
  public func writePNG(to file: some FileLocation) throws {
    try AtomicFiles.write(pngData(), to: file.fileSystemPath)
  }

  static func tooLarge(_ name: String, width: Int, height: Int, limit: Int = pixelLimit) -> SimpleError {
    SimpleError("\(name): too large: expected at most \(limit) pixels, found \(width)×\(height)")
  }

  /// The bytes of a file that starts like an image; of any other file, only as many as an error message needs.
  private static func bytes(of path: String) throws -> Data {
    try ReadableFile.reading(path, missing: "no such file; expected a JPEG or PNG image") {
      let file = try ReadableFile(path)
      var data = try file.read(upTo: 64)
      if ImageFormat(startOf: data) != nil { data += try file.readToEnd() }
      return data
    }
  }
}

/// The supported formats.
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

/// A description of a file that is not an image, for an error message.
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
