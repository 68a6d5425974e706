import Foundation
import RelevanceImaging
import RelevanceSupport
import Testing

/// Images from pixels in memory, against images whose pixels are set one by one.
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
    #expect(try RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: bytes) == image)
    #expect(
      try RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: Data(bytes)) == image)
    let slice = (Data([1, 2, 3]) + Data(bytes)).dropFirst(3)
    #expect(try RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: slice) == image)
    let lazy = bytes.lazy.map { $0 }
    #expect(try RGBImage(width: width, height: height, format: format, bytesPerRow: stride, bytes: lazy) == image)
  }

  /// Invalid pixels in memory cause errors, not traps.
  @Test func invalidPixelsAreRejected() {
    let extremes = [Int.min, -1, 0, 2, 1 << 40, .max]
    var refused = 0
    for width in extremes {
      for height in extremes where (width, height) != (2, 2) {
        expectRefused(&refused) { try RGBImage(width: width, height: height, pixels: [1, 2, 3]) }
        expectRefused(&refused) { try RGBImage(width: width, height: height, values: [0.5]) }
        for stride in [nil] + extremes {
          expectRefused(&refused) {
            try RGBImage(width: width, height: height, format: .bgra, bytesPerRow: stride, bytes: [1, 2, 3])
          }
        }
      }
    }
    #expect(refused == 35 * 9)
    for values in [[Float.nan], [-Float.infinity], [], [0, 1]] {
      expectRefused(&refused) { try RGBImage(width: 1, height: 1, values: values) }
    }
    for range in [Float(0)...0, 0...Float.infinity, -Float.infinity...Float.infinity, -3e38...3e38] {
      expectRefused(&refused) { try RGBImage(width: 1, height: 1, values: [0.5], range: range) }
    }
    let image = RGBImage(width: 3, height: 2, filledWith: .white)
    for side in extremes where side != 2 {
      expectRefused(&refused) { try image.resized(width: side, height: 5, by: .bicubic) }
    }
  }

  @Test func numbersAreConvertedToPixels() throws {
    let gray = try RGBImage(width: 3, height: 1, values: [-5, 0, 5], range: -5...5)
    #expect(gray.pixels == [0, 0, 0, 128, 128, 128, 255, 255, 255])
    let colors = try RGBImage(width: 1, height: 2, values: [0, 0.2, 1, 7, -1, 0.5])
    #expect(colors.pixels == [0, 51, 255, 255, 0, 128])
  }

  private func expectRefused(
    _ count: inout Int, _ body: () throws -> RGBImage, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) { try body() }
    #expect(
      (error as? any RelevanceKitError).map { $0.description.count < 200 } == true, sourceLocation: sourceLocation)
    count += 1
  }
}
