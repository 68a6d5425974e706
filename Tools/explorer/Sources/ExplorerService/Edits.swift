import Foundation
import RelevanceKit

/// What a brush has painted over of what the network sees.
public struct Edits: Codable, Hashable, Sendable {
  /// What takes the place of painted pixels.
  public enum Fill: String, Codable, Sendable, CaseIterable {
    /// The mean color of the picture.
    case mean
    /// The color that is 0 at the network's input: the mean of the data that it was trained on.
    case zero
    /// The picture, blurred: by a Gaussian with a deviation of a sixteenth of its longer side.
    case blur
  }

  /// A line of the brush.
  public struct Stroke: Codable, Hashable, Sendable {
    /// In pixels of what the network sees.
    public let radius: Double
    /// Columns and rows, one after the other.
    public let points: [Double]
  }

  public let fill: Fill
  public let strokes: [Stroke]

  private static let mostPoints = 20_000

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let name = try values.decodeIfPresent(String.self, forKey: .fill) ?? Fill.mean.rawValue
    guard let fill = Fill(rawValue: name) else {
      throw ServiceError(.malformed, "edits.fill is \(name.prefix(40)); expected mean, zero or blur")
    }
    self.fill = fill
    do { strokes = try values.decode([Stroke].self, forKey: .strokes) } catch DecodingError.keyNotFound(
      let key, let context)
    {
      let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      throw ServiceError(.malformed, "\(place) has no \(key.stringValue)")
    }
    for stroke in strokes {
      guard stroke.radius > 0, stroke.radius <= 4096, stroke.points.count.isMultiple(of: 2), !stroke.points.isEmpty,
        stroke.points.allSatisfy({ abs($0) <= 1e6 })
      else {
        throw ServiceError(
          .malformed,
          "edits.strokes: expected a radius from 0 to 4096 and points as columns and rows, one after the other")
      }
    }
    guard strokes.reduce(0, { $0 + $1.points.count }) <= 2 * Self.mostPoints else {
      throw ServiceError(.tooLarge, "edits.strokes has more than \(Self.mostPoints) points")
    }
  }

  /// The picture with what is painted over it.
  ///
  /// - Complexity: O(points × pixels of a line's box).
  package func applied(to picture: RGBImage, zero: RGBColor) throws -> RGBImage {
    let mask = mask(width: picture.width, height: picture.height)
    guard mask.contains(true) else { return picture }
    var pixels = picture.pixels
    let filling: (Int) -> UInt8
    switch fill {
    case .zero:
      let color = [zero.red, zero.green, zero.blue]
      filling = { color[$0 % 3] }
    case .mean:
      var sums = [0, 0, 0]
      for (index, value) in pixels.enumerated() { sums[index % 3] += Int(value) }
      let color = sums.map { UInt8((Double($0) / Double(mask.count)).rounded()) }
      filling = { color[$0 % 3] }
    case .blur:
      let blurred = Self.blurred(picture)
      filling = { blurred[$0] }
    }
    for (place, isPainted) in mask.enumerated() where isPainted {
      for index in 3 * place..<3 * place + 3 { pixels[index] = filling(index) }
    }
    return try RGBImage(width: picture.width, height: picture.height, pixels: pixels)
  }

  /// Which pixels are painted: those whose center is at most a radius from a line.
  package func mask(width: Int, height: Int) -> [Bool] {
    var mask = [Bool](repeating: false, count: width * height)
    for stroke in strokes {
      let points = stride(from: 0, to: stroke.points.count, by: 2).map {
        (x: stroke.points[$0], y: stroke.points[$0 + 1])
      }
      for (a, b) in zip(points, points.count > 1 ? Array(points.dropFirst()) : points) {
        let left = Int(max(0, min(a.x, b.x) - stroke.radius)),
          right = Int(min(Double(width - 1), max(a.x, b.x) + stroke.radius))
        let above = Int(max(0, min(a.y, b.y) - stroke.radius)),
          below = Int(min(Double(height - 1), max(a.y, b.y) + stroke.radius))
        guard left <= right, above <= below else { continue }
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let length = dx * dx + dy * dy
        for y in above...below {
          for x in left...right {
            let (px, py) = (Double(x) + 0.5 - a.x, Double(y) + 0.5 - a.y)
            let share = length > 0 ? min(1, max(0, (px * dx + py * dy) / length)) : 0
            let (ex, ey) = (px - share * dx, py - share * dy)
            if ex * ex + ey * ey <= stroke.radius * stroke.radius { mask[y * width + x] = true }
          }
        }
      }
    }
    return mask
  }

  /// The bytes of a picture after a Gaussian; at the edges it goes on as its last pixel.
  private static func blurred(_ picture: RGBImage) -> [UInt8] {
    let (width, height) = (picture.width, picture.height)
    let deviation = max(1, Double(max(width, height)) / 16)
    let reach = Int((3 * deviation).rounded(.up))
    var kernel = (-reach...reach).map { Float(exp(-0.5 * pow(Double($0) / deviation, 2))) }
    let sum = kernel.reduce(0, +)
    kernel = kernel.map { $0 / sum }
    var across = [Float](repeating: 0, count: picture.pixels.count)
    var result = [UInt8](repeating: 0, count: picture.pixels.count)
    picture.pixels.withUnsafeBufferPointer { source in
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<3 {
            var value: Float = 0
            for (offset, weight) in kernel.enumerated() {
              let column = min(width - 1, max(0, x + offset - reach))
              value += weight * Float(source[(y * width + column) * 3 + channel])
            }
            across[(y * width + x) * 3 + channel] = value
          }
        }
      }
    }
    across.withUnsafeBufferPointer { source in
      for y in 0..<height {
        for index in 0..<3 * width {
          var value: Float = 0
          for (offset, weight) in kernel.enumerated() {
            value += weight * source[min(height - 1, max(0, y + offset - reach)) * 3 * width + index]
          }
          result[y * 3 * width + index] = UInt8(min(255, max(0, value.rounded())))
        }
      }
    }
    return result
  }
}
