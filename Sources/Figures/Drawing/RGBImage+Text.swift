import Foundation
import Imaging

extension RGBImage {
  /// Writes a line of text; what leaves the picture is cut off.
  ///
  /// - Parameters:
  ///   - text: What is written.
  ///   - x: The column of the anchor.
  ///   - y: The row of the line's upper edge; the line is `TextLabel.height` pixels high.
  ///   - size: The height of the type (an em) in pixels.
  ///   - color: The color of the type.
  ///   - anchor: Which point of the line is at `x`.
  public mutating func draw(
    _ text: String, x: Int, y: Int, size: Double = TextLabel.standardSize, color: RGBColor = .ink,
    anchor: TextAnchor = .start
  ) {
    draw(TextLabel(text, size: size, color: color), x: x, y: y, anchor: anchor)
  }

  /// Writes a label; what leaves the picture is cut off. See `draw(_:x:y:size:color:anchor:)`.
  public mutating func draw(_ label: TextLabel, x: Int, y: Int, anchor: TextAnchor = .start) {
    draw(label, baseline: [Double(x), Double(y) + label.ascent], anchor: anchor, in: frame)
  }

  /// Writes a label along its baseline, or turned upward: its baseline then runs up along the column `baseline.x`.
  mutating func draw(
    _ label: TextLabel, scale: Double = 1, baseline: SIMD2<Double>, anchor: TextAnchor, isUpward: Bool = false,
    in bounds: PixelFrame
  ) {
    let size = label.size * scale
    let height = Typeface.verticalEm(size)
    let glyphs = Typeface.glyphs(of: label.text)
    let before = glyphs.reduce(0) { $0 + $1.advance } * size * anchor.share
    let start = (baseline + (isUpward ? [0, before] : [-before, 0])).rounded(.toNearestOrAwayFromZero)
    var advance = 0.0
    for glyph in glyphs {
      let polygons = glyph.contours.map { contour in
        contour.map { point in
          let (along, across) = (advance + point.x * size, -point.y * height)
          return start + (isUpward ? [across, -along] : [along, across])
        }
      }
      blend(label.color, opacity: Self.textWeight, Coverage(inside: polygons, in: bounds))
      advance += glyph.advance * size
    }
  }

  /// Stems are about a pixel wide and seldom fill one; this makes up for what they lose.
  private static let textWeight = 1.35
}
