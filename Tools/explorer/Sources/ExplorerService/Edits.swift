import Foundation
import RelevanceKit

/// Brush strokes that paint over parts of the network's input.
public struct Edits: Codable, Hashable, Sendable {
  /// The replacement for painted pixels.
  public enum Fill: String, Codable, Sendable, CaseIterable {
    /// The mean color of the image.
    case mean
    /// The color whose normalized value is 0: the mean color of the training data.
    case zero
    /// The image after an approximate Gaussian blur with a standard deviation of 1/16 of its longer side.
    case blur
  }

  /// A brush stroke: a polyline.
  public struct Stroke: Codable, Hashable, Sendable {
    /// The radius of the brush in pixels of the network's input.
    public let radius: Double
    /// The column and row of each point, one point after the other.
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
          "edits.strokes: expected a radius above 0, at most 4096, and points as pairs of column and row")
      }
    }
    guard strokes.reduce(0, { $0 + $1.points.count }) <= 2 * Self.mostPoints else {
      throw ServiceError(.tooLarge, "edits.strokes has more than \(Self.mostPoints) points")
    }
  }

  /// The image after painting.
  ///
  /// - Complexity: O(points × pixels in the bounding box of a line).
  package func applied(to image: RGBImage, zero: RGBColor) throws -> RGBImage {
    let mask = try mask(width: image.width, height: image.height)
    guard mask.contains(true) else { return image }
    var pixels = image.pixels
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
      let blurred = try Self.blurred(image)
      filling = { blurred[$0] }
    }
    for (place, isPainted) in mask.enumerated() where isPainted {
      for index in 3 * place..<3 * place + 3 { pixels[index] = filling(index) }
    }
    return try RGBImage(width: image.width, height: image.height, pixels: pixels)
  }

  /// Whether each pixel is painted: its center is at most a radius away from a line.
  ///
  /// - Throws: `ServiceError` if long lines and a wide brush would take seconds to compute.
  package func mask(width: Int, height: Int) throws -> [Bool] {
    let lines = strokes.flatMap { Line.all(of: $0) }
    let boxes = lines.map { $0.box(width: width, height: height) }
    guard boxes.reduce(0, { $0 + $1.columns.count * $1.rows.count }) <= Self.mostWork else {
      throw ServiceError(.tooLarge, "edits.strokes: too many points for this brush radius and image size")
    }
    var mask = [Bool](repeating: false, count: width * height)
    for (line, box) in zip(lines, boxes) {
      try Task.checkCancellation()
      for y in box.rows {
        for x in box.columns where line.isNear(Double(x) + 0.5, Double(y) + 0.5) { mask[y * width + x] = true }
      }
    }
    return mask
  }

  /// The largest number of distances to compute.
  private static let mostWork = 1 << 30

  /// A straight segment of a stroke.
  private struct Line {
    let x, y, dx, dy, radius, length: Double

    static func all(of stroke: Stroke) -> [Line] {
      let points = stride(from: 0, to: stroke.points.count, by: 2).map { (stroke.points[$0], stroke.points[$0 + 1]) }
      return zip(points, points.count > 1 ? Array(points.dropFirst()) : points).map { Line($0, $1, stroke.radius) }
    }

    private init(_ a: (Double, Double), _ b: (Double, Double), _ radius: Double) {
      (x, y, dx, dy) = (a.0, a.1, b.0 - a.0, b.1 - a.1)
      self.radius = radius
      length = dx * dx + dy * dy
    }

    /// The bounding box of the pixels that can be near the line.
    func box(width: Int, height: Int) -> (columns: Range<Int>, rows: Range<Int>) {
      func range(_ a: Double, _ b: Double, _ count: Int) -> Range<Int> {
        let first = max(0, min(a, b) - radius), last = min(Double(count - 1), max(a, b) + radius)
        return first <= last ? Int(first)..<Int(last) + 1 : 0..<0
      }
      return (range(x, x + dx, width), range(y, y + dy, height))
    }

    func isNear(_ px: Double, _ py: Double) -> Bool {
      let (px, py) = (px - x, py - y)
      let share = length > 0 ? min(1, max(0, (px * dx + py * dy) / length)) : 0
      let (ex, ey) = (px - share * dx, py - share * dy)
      return ex * ex + ey * ey <= radius * radius
    }
  }

  /// The bytes of an image after three box filters in succession, which approximate a Gaussian.
  ///
  /// - Complexity: O(pixels), independent of the standard deviation.
  private static func blurred(_ image: RGBImage) throws -> [UInt8] {
    let (width, height) = (image.width, image.height)
    let deviation = max(1, Double(max(width, height)) / 16)
    let reach = max(1, Int(((4 * deviation * deviation + 1).squareRoot() / 2).rounded()))
    var values = image.pixels.map(Float.init)
    for _ in 0..<3 {
      for channel in 0..<3 {
        for y in 0..<height {
          mean(&values, from: 3 * y * width + channel, step: 3, count: width, reach: reach)
        }
        try Task.checkCancellation()
        for x in 0..<width {
          mean(&values, from: 3 * x + channel, step: 3 * width, count: height, reach: reach)
        }
        try Task.checkCancellation()
      }
    }
    return values.map { UInt8(min(255, max(0, $0.rounded()))) }
  }

  /// Replaces each value of a line by the mean of the values at most `reach` away. Beyond the ends, the last value is
  /// repeated.
  private static func mean(_ values: inout [Float], from start: Int, step: Int, count: Int, reach: Int) {
    let line = (0..<count).map { Double(values[start + $0 * step]) }
    var sum = (-reach...reach).reduce(0.0) { $0 + line[min(count - 1, max(0, $1))] }
    for place in 0..<count {
      values[start + place * step] = Float(sum / Double(2 * reach + 1))
      sum += line[min(count - 1, place + reach + 1)] - line[max(0, place - reach)]
    }
  }
}
