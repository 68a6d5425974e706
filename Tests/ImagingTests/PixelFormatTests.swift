import Foundation
import Imaging
import Testing

/// Images from pixels in memory, against pixels that are put there one by one.
@Suite struct PixelFormatTests {
  /// The order of a pixel's bytes, by the letters of its name; `x` is gray.
  private static let orders: [PixelFormat: String] = [
    .gray: "x", .rgb: "rgb", .bgr: "bgr", .rgba: "rgba", .bgra: "bgra", .argb: "argb",
  ]

  @Test(arguments: PixelFormat.allCases, [0, 1, 13])
  func pixelsAreCopied(format: PixelFormat, gap: Int) throws {
    let order = Array(try #require(Self.orders[format]))
    let (width, height) = (5, 3)
    var image = RGBImage(width: width, height: height, filledWith: .white)
    var bytes: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let (value, step) = (10 * y + x, format == .gray ? 0 : 100)
        let color = RGBColor(red: UInt8(value), green: UInt8(value + step), blue: UInt8(value + 2 * step))
        image[x, y] = color
        bytes += order.map { ["x": color.red, "r": color.red, "g": color.green, "b": color.blue, "a": 255][$0]! }
      }
      if y < height - 1 { bytes += [UInt8](repeating: 77, count: gap) }
    }
    let stride = gap > 0 ? width * order.count + gap : nil
    #expect(RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: bytes) == image)
    #expect(RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: Data(bytes)) == image)
    let slice = (Data([1, 2, 3]) + Data(bytes)).dropFirst(3)
    #expect(RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: slice) == image)
    let lazy = bytes.lazy.map { $0 }
    #expect(RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: lazy) == image)
  }

  @Test func imagesMayBeEmpty() {
    #expect(RGBImage(width: 0, height: 4, format: .rgb, bytes: []).pixels.isEmpty)
    #expect(RGBImage(width: 4, height: 0, format: .argb, bytesPerRow: 99, bytes: []).pixels.isEmpty)
  }
}
