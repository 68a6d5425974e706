import RelevanceSupport
import RelevanceTensors

/// A relevance map as a picture: positive relevance red, negative blue, none white; or, for maps that are never negative,
/// from white to nearly black.
///
/// Lightness falls steadily as |r| grows, on both sides alike, so the picture neither invents edges nor hides them, also in
/// print without color. Values that are not finite are gray.
public struct Heatmap: Sendable {
  /// The relevance of each pixel: height × width, the sum over the channels.
  public let values: Tensor
  package let scale: HeatmapScale
  /// The |r| that has the full color; 0 if there is no relevance at all.
  public let limit: Float
  /// The colors.
  public let colors: HeatmapColors

  package var width: Int { values.shape[1] }
  package var height: Int { values.shape[0] }
  /// The share of pixels, 0…1, whose |r| exceeds `limit`, so that they look less relevant than they are.
  ///
  /// - Complexity: O(pixels).
  public var clippedShare: Double {
    values.withUnsafeElements { r in
      r.isEmpty ? 0 : Double(r.count { abs($0) > limit }) / Double(r.count)
    }
  }

  /// Makes a heatmap of relevance of shape height × width, channels × height × width or 1 × channels × height × width.
  ///
  /// - Throws: `RelevanceKitError` for any other shape, and for a scale whose number is not finite or is negative.
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

  /// The map as a picture with a pixel for each position.
  public func image() -> RGBImage { image(scaledBy: 1) }

  /// The map as a picture: each position is a square of so many pixels' side.
  ///
  /// - Throws: `RelevanceKitError` for a side below 1, and if there were more than `RGBImage.pixelLimit` pixels.
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

  /// The map over a picture, which is turned gray and pale; the more relevant a position, the more opaque its color.
  ///
  /// The result has the picture's size. A map of another size is spread over it, each position as one block.
  public func overlay(on picture: RGBImage) -> RGBImage {
    RGBImage(width: picture.width, height: picture.height) { target in
      Self.paled(picture).withUnsafeBufferPointer { gray in
        values.withUnsafeElements { r in
          for y in 0..<picture.height {
            let row = y * height / picture.height * width
            for x in 0..<picture.width {
              let i = (y * picture.width + x) * 3
              let (color, opacity) = tint(of: r[row + x * width / picture.width])
              let base = Float(gray[y * picture.width + x]) * (1 - opacity)
              target[i] = UInt8(base + Float(color.red) * opacity + 0.5)
              target[i + 1] = UInt8(base + Float(color.green) * opacity + 0.5)
              target[i + 2] = UInt8(base + Float(color.blue) * opacity + 0.5)
            }
          }
        }
      }
    }
  }

  /// A picture turned gray and pale, as overlays show it: a byte per pixel.
  package static func paled(_ picture: RGBImage) -> [UInt8] {
    picture.pixels.withUnsafeBufferPointer { source in
      stride(from: 0, to: source.count, by: 3).map { i in
        let luma = 0.299 * Float(source[i]) + 0.587 * Float(source[i + 1]) + 0.114 * Float(source[i + 2])
        return UInt8(255 - (255 - luma) * pictureContrast + 0.5)
      }
    }
  }

  /// A bar of all colors, from −`limit` (or 0, where nothing is negative) on the left to +`limit` on the right, as they are in maps,
  /// or in overlays on white.
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
  /// - Throws: `RelevanceKitError` for a shape that has no such sum.
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

  /// The part of the picture's contrast that stays under an overlay.
  private static let pictureContrast: Float = 0.6
  /// The opacity of the full color in an overlay.
  package static let fullOpacity: Float = 0.9

  private func color(of relevance: Float) -> RGBColor {
    guard relevance.isFinite else { return HeatmapColors.notFinite }
    return colors.color(at: limit > 0 ? relevance / limit : 0)
  }

  /// Color and opacity in an overlay. The square root keeps weak relevance visible; half of the ramp's lightness is left
  /// to the opacity.
  private func tint(of relevance: Float) -> (color: RGBColor, opacity: Float) {
    guard relevance.isFinite else { return (HeatmapColors.notFinite, Self.fullOpacity) }
    let strength = limit > 0 ? max(-1, min(1, relevance / limit)) : 0
    let vivid = strength < 0 ? (strength - 1) / 2 : (strength + 1) / 2
    return (colors.color(at: vivid), abs(strength).squareRoot() * Self.fullOpacity)
  }
}
