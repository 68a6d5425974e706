import RelevanceSupport
import RelevanceTensors

/// A relevance map as an image: positive relevance is red, negative is blue, and zero is white. Maps that are never
/// negative run from white to nearly black.
///
/// Lightness decreases steadily as |r| grows, equally for both signs, so the image neither adds nor hides edges, also
/// in black-and-white print. Values that are not finite are gray.
public struct Heatmap: Sendable {
  /// The relevance of each pixel: height × width, the sum over the channels.
  public let values: Tensor
  package let scale: HeatmapScale
  /// The |r| that is shown in the full color; 0 if the map is 0 everywhere.
  public let limit: Float
  /// The colors.
  public let colors: HeatmapColors

  package var width: Int { values.shape[1] }
  package var height: Int { values.shape[0] }
  /// The share of pixels, 0…1, whose |r| exceeds `limit`, so that they appear less relevant than they are.
  ///
  /// - Complexity: O(pixels).
  public var clippedShare: Double {
    values.withUnsafeElements { r in
      r.isEmpty ? 0 : Double(r.count { abs($0) > limit }) / Double(r.count)
    }
  }

  /// Creates a heatmap of relevance of shape height × width, channels × height × width or 1 × channels × height ×
  /// width.
  ///
  /// - Throws: `RelevanceKitError` for any other shape, and for a scale whose number is negative or not finite.
  /// - Complexity: O(elements, and pixels log pixels for a percentile).
  public init(_ relevance: Tensor, scale: HeatmapScale = .standard, colors: HeatmapColors = .diverging) throws {
    try scale.check()
    values = try Self.channelSum(relevance)
    limit = scale.limit(of: values.elements)
    (self.scale, self.colors) = (scale, colors)
  }

  private init(sums: Tensor, scale: HeatmapScale, colors: HeatmapColors) {
    (values, limit) = (sums, scale.limit(of: sums.elements))
    (self.scale, self.colors) = (scale, colors)
  }

  /// The map as an image with one pixel for each position.
  public func image() -> RGBImage { image(scaledBy: 1) }

  /// The map as an image in which each position is a square.
  ///
  /// - Parameter side: the side of the square in pixels.
  /// - Throws: `RelevanceKitError` for a side below 1, and if the result would have more than `RGBImage.pixelLimit`
  ///   pixels.
  public func image(pixelsPerPosition side: Int) throws -> RGBImage {
    guard (1...RGBImage.pixelLimit).contains(side) else {
      throw SimpleError("\(side) pixels per position; expected one or more", .usage)
    }
    _ = try RGBImage.elementCount(width: width * side, height: height * side, perPixel: 3)
    return image(scaledBy: side)
  }

  private func image(scaledBy side: Int) -> RGBImage {
    RGBImage(width: width * side, height: height * side) { target in
      values.withUnsafeElements { r in
        var i = 0
        for y in 0..<height * side {
          for x in 0..<width * side {
            let color = color(of: r[y / side * width + x / side])
            target[i] = color.red
            target[i + 1] = color.green
            target[i + 2] = color.blue
            i += 3
          }
        }
      }
    }
  }

  /// The map over an image, which is made gray and pale. The more relevant a position is, the more opaque its color.
  ///
  /// The result has the size of the image. A map of another size is scaled to it, with each position as one block.
  public func overlay(on image: RGBImage) -> RGBImage {
    RGBImage(width: image.width, height: image.height) { target in
      Self.paled(image).withUnsafeBufferPointer { gray in
        values.withUnsafeElements { r in
          for y in 0..<image.height {
            let row = y * height / image.height * width
            for x in 0..<image.width {
              let i = (y * image.width + x) * 3
              let (color, opacity) = tint(of: r[row + x * width / image.width])
              let base = Float(gray[y * image.width + x]) * (1 - opacity)
              target[i] = UInt8(base + Float(color.red) * opacity + 0.5)
              target[i + 1] = UInt8(base + Float(color.green) * opacity + 0.5)
              target[i + 2] = UInt8(base + Float(color.blue) * opacity + 0.5)
            }
          }
        }
      }
    }
  }

  /// The gray and pale version of an image, as in overlays: one byte per pixel.
  package static func paled(_ image: RGBImage) -> [UInt8] {
    image.pixels.withUnsafeBufferPointer { source in
      stride(from: 0, to: source.count, by: 3).map { i in
        let luma = 0.299 * Float(source[i]) + 0.587 * Float(source[i + 1]) + 0.114 * Float(source[i + 2])
        return UInt8(255 - (255 - luma) * imageContrast + 0.5)
      }
    }
  }

  /// A bar of all colors, from −`limit` (or 0 for sequential colors) on the left to +`limit` on the right, as in maps,
  /// or as in overlays on white.
  package static func colorBar(
    width: Int, height: Int, colors: HeatmapColors = .diverging, asOverlay: Bool = false
  ) -> RGBImage {
    let ramp = Tensor(uninitialized: [height, width]) { target in
      for i in target.indices {
        let x = colors == .diverging ? 2 * (i % width) - width + 1 : i % width
        target[i] = width < 2 ? 0 : Float(x) / Float(width - 1)
      }
    }
    let heatmap = Heatmap(sums: ramp, scale: .fixed(1), colors: colors)
    return asOverlay ? heatmap.overlay(on: RGBImage(width: width, height: height, filledWith: .white)) : heatmap.image()
  }

  /// The sum over the channels: height × width.
  ///
  /// - Throws: `RelevanceKitError` for a shape that is not a map.
  package static func channelSum(_ relevance: Tensor) throws -> Tensor {
    let shape = relevance.shape
    guard shape.rank == 2 || shape.rank == 3 || shape.rank == 4 && shape[0] == 1, shape.count > 0 else {
      throw SimpleError("relevance of shape \(shape) is not one map; expected H×W, C×H×W or 1×C×H×W", .usage)
    }
    let plane = shape[-1] * shape[-2]
    let channels = shape.rank == 2 ? 1 : shape[-3]
    guard channels != 1 else { return relevance.reshaped(to: [shape[-2], shape[-1]]) }
    return Tensor(uninitialized: [shape[-2], shape[-1]]) { sum in
      sum.update(repeating: 0)
      relevance.withUnsafeElements { r in
        for channel in 0..<channels { for i in 0..<plane { sum[i] += r[channel * plane + i] } }
      }
    }
  }

  /// The part of the image's contrast that remains under an overlay.
  private static let imageContrast: Float = 0.6
  /// The opacity of the full color in an overlay.
  package static let fullOpacity: Float = 0.9

  private func color(of relevance: Float) -> RGBColor {
    guard relevance.isFinite else { return HeatmapColors.notFinite }
    return colors.color(at: limit > 0 ? relevance / limit : 0)
  }

  /// The color and opacity in an overlay. The square root keeps weak relevance visible, and the opacity provides half
  /// of the ramp's lightness.
  private func tint(of relevance: Float) -> (color: RGBColor, opacity: Float) {
    guard relevance.isFinite else { return (HeatmapColors.notFinite, Self.fullOpacity) }
    let strength = limit > 0 ? max(-1, min(1, relevance / limit)) : 0
    let vivid = strength < 0 ? (strength - 1) / 2 : (strength + 1) / 2
    return (colors.color(at: vivid), abs(strength).squareRoot() * Self.fullOpacity)
  }
}
