import RelevanceSupport

/// The memory layout of pixels with 8 bits per channel.
public enum PixelFormat: String, CaseIterable, Sendable {
  /// One byte per pixel.
  case gray
  /// Three bytes per pixel.
  case rgb, bgr
  /// Four bytes per pixel, including alpha, which is ignored as it is in files.
  case rgba, bgra, argb

  /// The number of bytes of a pixel, and the positions of red, green and blue.
  var layout: (size: Int, red: Int, green: Int, blue: Int) {
    switch self {
    case .gray: (1, 0, 0, 0)
    case .rgb: (3, 0, 1, 2)
    case .bgr: (3, 2, 1, 0)
    case .rgba: (4, 0, 1, 2)
    case .bgra: (4, 2, 1, 0)
    case .argb: (4, 1, 2, 3)
    }
  }
}

extension RGBImage {
  /// Copies pixels from memory, for example from a camera frame or from another image library.
  ///
  /// - Parameters:
  ///   - width: the number of pixels in a row.
  ///   - height: the number of rows.
  ///   - format: the bytes of a pixel.
  ///   - bytesPerRow: the distance between rows in bytes; nil means that rows are contiguous.
  ///   - bytes: the pixels, top row first: an array, `Data`, or a buffer. Bytes after the last pixel are ignored.
  /// - Throws: `RelevanceKitError` if the image has no pixel, if rows overlap, or if there are too few bytes.
  public init(
    width: Int, height: Int, format: PixelFormat, bytesPerRow: Int? = nil, bytes: some Collection<UInt8>
  ) throws {
    let (size, red, green, blue) = format.layout
    _ = try Self.elementCount(width: width, height: height, perPixel: size)
    let stride = bytesPerRow ?? width * size
    guard stride >= width * size else {
      throw SimpleError("rows of \(width) \(format) pixels need \(width * size) bytes; found \(stride) per row", .usage)
    }
    let (rows, overflow) = (height - 1).multipliedReportingOverflow(by: stride)
    guard !overflow, bytes.count - width * size >= rows else {
      throw SimpleError(
        "\(width)×\(height) \(format) pixels in rows of \(stride) bytes need more than the \(bytes.count) bytes given",
        .usage)
    }
    func copy(_ source: UnsafeBufferPointer<UInt8>) -> RGBImage {
      RGBImage(width: width, height: height) { target in
        for y in 0..<height {
          for x in 0..<width {
            let (from, to) = (y * stride + x * size, (y * width + x) * 3)
            target[to] = source[from + red]
            target[to + 1] = source[from + green]
            target[to + 2] = source[from + blue]
          }
        }
      }
    }
    self = bytes.withContiguousStorageIfAvailable(copy) ?? Array(bytes).withUnsafeBufferPointer(copy)
  }
}

extension RGBImage {
  /// Converts numbers to 8-bit pixels by rounding, for example numbers of another image library or of a tensor.
  ///
  /// - Parameters:
  ///   - width: the number of pixels in a row.
  ///   - height: the number of rows.
  ///   - values: one number per pixel for gray, or red, green and blue for each pixel; top row first.
  ///   - range: the values that become 0 and 255; values outside the range are clipped.
  /// - Throws: `RelevanceKitError` if the image has no pixel, if there are not one or three numbers per pixel, if a
  ///   number is not finite, or if the range is empty.
  public init(width: Int, height: Int, values: [Float], range: ClosedRange<Float> = 0...1) throws {
    let pixels = try Self.elementCount(width: width, height: height, perPixel: 1)
    guard values.count == pixels || values.count == pixels * 3 else {
      throw SimpleError(
        "\(width)×\(height) pixels need \(pixels) or \(pixels * 3) numbers; found \(values.count)", .usage)
    }
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite else {
      throw SimpleError(
        "the range \(range.lowerBound)…\(range.upperBound); expected a finite range that is not empty", .usage)
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw SimpleError("value \(index) of an image is \(values[index]); expected finite numbers", .usage)
    }
    let channels = values.count / pixels
    self.init(width: width, height: height) { target in
      for i in 0..<pixels * 3 {
        let share = (values[channels == 1 ? i / 3 : i] - range.lowerBound) / span
        target[i] = UInt8(min(max(share, 0), 1) * 255 + 0.5)
      }
    }
  }
}
