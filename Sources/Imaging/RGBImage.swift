import CRelevanceImaging
import RelevanceSupport
import RelevanceTensors

/// An image of 8-bit RGB pixels.
public struct RGBImage: Hashable, Sendable {
  /// The number of pixels in a row.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// `height` × `width` × 3 bytes: red, green and blue of each pixel, top row first.
  public private(set) var pixels: [UInt8]

  /// Creates an image from its bytes.
  ///
  /// - Throws: `RelevanceKitError` unless there are `height` × `width` × 3 bytes, and at least one pixel.
  public init(width: Int, height: Int, pixels: [UInt8]) throws {
    let count = try Self.elementCount(width: width, height: height, perPixel: 3)
    guard pixels.count == count else {
      throw SimpleError("\(width)×\(height) RGB pixels need \(count) bytes; found \(pixels.count)", .usage)
    }
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// The number of elements of an image.
  ///
  /// - Throws: `RelevanceKitError` if the image has no pixel, or more than `pixelLimit`.
  static func elementCount(width: Int, height: Int, perPixel: Int) throws -> Int {
    guard width > 0, height > 0 else {
      throw SimpleError("an image of \(width)×\(height) pixels; expected one pixel or more", .usage)
    }
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, count <= pixelLimit else { throw tooLarge("the image", width: width, height: height) }
    return count * perPixel
  }

  package init(width: Int, height: Int, filledWith color: RGBColor) {
    precondition(width >= 0 && height >= 0, "an image cannot have \(width)×\(height) pixels")
    let gray = color.red == color.green && color.green == color.blue
    (self.width, self.height) = (width, height)
    pixels = [UInt8](repeating: color.red, count: width * height * 3)
    guard !gray else { return }
    for y in 0..<height { for x in 0..<width { self[x, y] = color } }
  }

  /// Creates an image; `body` must write every byte.
  package init(width: Int, height: Int, uninitialized body: (UnsafeMutablePointer<UInt8>) -> Void) {
    self.width = width
    self.height = height
    let count = width * height * 3
    self.pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      if count > 0 { body(buffer.baseAddress!) }
      initialized = count
    }
  }

  /// The pixel in column `x` of row `y`.
  public subscript(x: Int, y: Int) -> RGBColor {
    get {
      let position = position(x, y)
      return RGBColor(red: pixels[position], green: pixels[position + 1], blue: pixels[position + 2])
    }
    set {
      let position = position(x, y)
      pixels[position] = newValue.red
      pixels[position + 1] = newValue.green
      pixels[position + 2] = newValue.blue
    }
  }

  private func position(_ x: Int, _ y: Int) -> Int {
    precondition(x >= 0 && x < width && y >= 0 && y < height, "(\(x), \(y)) is outside an image of \(width)×\(height)")
    return (y * width + x) * 3
  }
}

/// An 8-bit RGB color.
public struct RGBColor: Hashable, Sendable {
  /// The amount of red, 0…255.
  public var red: UInt8
  /// The amount of green, 0…255.
  public var green: UInt8
  /// The amount of blue, 0…255.
  public var blue: UInt8

  /// Creates a color from its components, 0…255 each.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  package static let white = RGBColor(red: 255, green: 255, blue: 255)
  package static let black = RGBColor(red: 0, green: 0, blue: 0)
}

extension RGBImage {
  /// The gray version of the image, as by Pillow's `convert("L")`, in all three channels.
  var gray: RGBImage {
    RGBImage(width: width, height: height) { target in
      pixels.withUnsafeBufferPointer { source in
        for i in stride(from: 0, to: width * height * 3, by: 3) {
          let sum = UInt32(source[i]) * 19595 + UInt32(source[i + 1]) * 38470 + UInt32(source[i + 2]) * 7471
          let level = UInt8((sum + 0x8000) >> 16)
          target[i] = level
          target[i + 1] = level
          target[i + 2] = level
        }
      }
    }
  }

  /// A part of the image, black where the part is outside the image.
  package func window(x left: Int, y top: Int, width: Int, height: Int) -> RGBImage {
    if left == 0 && top == 0 && width == self.width && height == self.height { return self }
    return RGBImage(width: width, height: height) { target in
      target.update(repeating: 0, count: width * height * 3)
      let columns = max(left, 0)..<max(max(left, 0), min(left + width, self.width))
      pixels.withUnsafeBufferPointer { source in
        guard let source = source.baseAddress, !columns.isEmpty else { return }
        for y in max(top, 0)..<max(max(top, 0), min(top + height, self.height)) {
          (target + ((y - top) * width + columns.lowerBound - left) * 3).update(
            from: source + (y * self.width + columns.lowerBound) * 3, count: columns.count * 3)
        }
      }
    }
  }
}
