/// How pixels of 8 bits per channel lie in memory.
public enum PixelFormat: String, CaseIterable, Sendable {
  /// One byte per pixel.
  case gray
  /// Three bytes per pixel.
  case rgb, bgr
  /// Four bytes per pixel, one of them alpha, which is ignored, as in files.
  case rgba, bgra, argb

  /// The bytes of a pixel, and where red, green and blue are among them.
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
  /// Copies pixels from memory, for instance those of a camera frame or of another image library.
  ///
  /// Traps if an extent is negative, if rows overlap, or if there are not enough bytes.
  ///
  /// - Parameters:
  ///   - width: the number of pixels in a row.
  ///   - height: the number of rows.
  ///   - format: the bytes of a pixel.
  ///   - bytesPerRow: the distance of rows in bytes; nil means that they follow one another.
  ///   - bytes: the pixels, top row first: an array, `Data`, or a buffer. What follows the last pixel is ignored.
  public init(
    width: Int, height: Int, format: PixelFormat, bytesPerRow: Int? = nil, bytes: some Collection<UInt8>
  ) {
    precondition(width >= 0 && height >= 0, "an image cannot have \(width)×\(height) pixels")
    let (size, red, green, blue) = format.layout
    let stride = bytesPerRow ?? width * size
    precondition(stride >= width * size, "rows of \(width) \(format) pixels need \(width * size) bytes, not \(stride)")
    let needed = height > 0 ? (height - 1) * stride + width * size : 0
    precondition(bytes.count >= needed, "\(width)×\(height) \(format) pixels need \(needed) bytes, not \(bytes.count)")
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
