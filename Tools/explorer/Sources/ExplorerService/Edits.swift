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
    /// The picture, blurred: by nearly a Gaussian with a deviation of a sixteenth of its longer side.
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
    let mask = try mask(width: picture.width, height: picture.height)
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
      let blurred = try Self.blurred(picture)
      filling = { blurred[$0] }
    }
    for (place, isPainted) in mask.enumerated() where isPainted {
      for index in 3 * place..<3 * place + 3 { pixels[index] = filling(index) }
    }
    return try RGBImage(width: picture.width, height: picture.height, pixels: pixels)
  }

  /// Which pixels are painted: those whose center is at most a radius from a line.
  ///
  /// - Throws: `ServiceError` if lines are so long and the brush so wide that it would take seconds.
  package func mask(width: Int, height: Int) throws -> [Bool] {
    let lines = strokes.flatMap { Line.all(of: $0) }
    let boxes = lines.map { $0.box(width: width, height: height) }
    guard boxes.reduce(0, { $0 + $1.columns.count * $1.rows.count }) <= Self.mostWork else {
      throw ServiceError(.tooLarge, "edits.strokes: too many points for so wide a brush and so large a picture")
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

  /// Distances that are computed at most.
  private static let mostWork = 1 << 30

  /// A straight piece of a stroke.
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

    /// The pixels that may be near.
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

  /// The bytes of a picture after three means over boxes, one after the other, which together are nearly a Gaussian.
  ///
  /// - Complexity: O(pixels), whatever the deviation.
  private static func blurred(_ picture: RGBImage) throws -> [UInt8] {
    let (width, height) = (picture.width, picture.height)
    let deviation = max(1, Double(max(width, height)) / 16)
    let reach = max(1, Int(((4 * deviation * deviation + 1).squareRoot() / 2).rounded()))
    var values = picture.pixels.map(Float.init)
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

  /// Replaces each of some values by the mean of those that are at most so far away; at the ends they go on as the last one.
  private static func mean(_ values: inout [Float], from start: Int, step: Int, count: Int, reach: Int) {
    let line = (0..<count).map { Double(values[start + $0 * step]) }
    var sum = (-reach...reach).reduce(0.0) { $0 + line[min(count - 1, max(0, $1))] }
    for place in 0..<count {
      values[start + place * step] = Float(sum / Double(2 * reach + 1))
      sum += line[min(count - 1, place + reach + 1)] - line[max(0, place - reach)]
    }
  }
}
