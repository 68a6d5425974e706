import RelevanceImaging

/// A drawing of lines, areas and text on white, which can be written as SVG or rendered as pixels. Units are CSS
/// pixels, y downward.
package struct Drawing {
  typealias Point = SIMD2<Double>

  /// The elements, in drawing order.
  enum Element {
    /// The inside of a closed polygon.
    case area([Point], RGBColor, opacity: Double = 1)
    /// A line through points with round joins; `dashes` contains alternating lengths of strokes and gaps.
    case line([Point], RGBColor, width: Double, dashes: [Double] = [])
    /// Text whose anchor on the baseline is at a point; upward text is rotated by 90° to the left.
    case text(TextLabel, Point, TextAnchor, isUpward: Bool = false)
    /// Elements that are visible only inside a rectangle.
    case clipped(Box, [Element])
  }

  let width: Int
  let height: Int
  /// A short description of the drawing, for readers who cannot see it.
  let title: String
  private(set) var elements: [Element] = []

  mutating func add(_ element: Element) { elements.append(element) }

  /// The drawing as pixels, `scale` pixels per unit.
  func image(scale: Int) -> RGBImage {
    precondition(scale > 0, "a drawing cannot be scaled by \(scale)")
    var image = RGBImage(width: width * scale, height: height * scale, filledWith: .white)
    for element in elements { image.draw(element, scale: Double(scale), in: image.frame) }
    return image
  }
}

/// An upright rectangle in a drawing.
struct Box: Equatable {
  var left, top, right, bottom: Double

  var width: Double { right - left }
  var height: Double { bottom - top }
  var corners: [Drawing.Point] { [[left, top], [right, top], [right, bottom], [left, bottom]] }
}

extension RGBImage {
  fileprivate mutating func draw(_ element: Drawing.Element, scale: Double, in bounds: PixelFrame) {
    switch element {
    case .area(let points, let color, let opacity):
      blend(color, opacity: opacity, Coverage(inside: [points.map { $0 * scale }], in: bounds))
    case .line(let points, let color, let width, let dashes):
      for piece in Dashes(dashes).pieces(of: points) {
        blend(color, Coverage(along: piece.map { $0 * scale }, width: width * scale, in: bounds))
      }
    case .text(let label, let point, let anchor, let isUpward):
      draw(label, scale: scale, baseline: point * scale, anchor: anchor, isUpward: isUpward, in: bounds)
    case .clipped(let box, let elements):
      let inner = bounds.intersection(box, scale: scale)
      for element in elements { draw(element, scale: scale, in: inner) }
    }
  }
}

extension PixelFrame {
  fileprivate func intersection(_ box: Box, scale: Double) -> PixelFrame {
    func pixels(_ low: Double, _ high: Double) -> Range<Int> {
      let start = Int((low * scale).rounded())
      return start..<max(start, Int((high * scale).rounded()))
    }
    return PixelFrame(
      columns: columns.clamped(to: pixels(box.left, box.right)), rows: rows.clamped(to: pixels(box.top, box.bottom)))
  }
}

/// A pattern of strokes and gaps along a line.
private struct Dashes {
  let lengths: [Double]

  init(_ lengths: [Double]) { self.lengths = lengths }

  /// The strokes of a line; the whole line without a pattern.
  func pieces(of points: [Drawing.Point]) -> [[Drawing.Point]] {
    guard points.count > 1, !lengths.isEmpty, lengths.allSatisfy({ $0 > 0 }) else { return [points] }
    var pieces: [[Drawing.Point]] = [[points[0]]]
    var (index, left) = (0, lengths[0])
    for (start, end) in zip(points, points.dropFirst()) {
      let length = (end - start).length
      guard length > 0, length.isFinite else { continue }
      var along = 0.0
      while length - along > left {
        along += left
        let place = start + (end - start) * (along / length)
        // Strokes have even indices.
        if index % 2 == 0 { pieces[pieces.count - 1].append(place) } else { pieces.append([place]) }
        index += 1
        left = lengths[index % lengths.count]
      }
      left -= length - along
      if index % 2 == 0 { pieces[pieces.count - 1].append(end) }
    }
    return pieces.filter { $0.count > 1 }
  }
}
