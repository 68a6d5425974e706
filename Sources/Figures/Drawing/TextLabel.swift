import RelevanceImaging

/// A line of text of a certain size, which can be measured, shortened and drawn.
///
/// Characters that the built-in typeface lacks are written without accents or in Latin letters; remaining ones are
/// drawn as a box.
package struct TextLabel: Hashable, Sendable {
  /// Line breaks count as spaces.
  package var text: String
  /// The type size (an em) in pixels; lowercase letters are about half as high.
  package var size: Double
  package var color: RGBColor

  /// The size that is legible beside an image shown pixel by pixel.
  package static let standardSize = 13.0

  /// Creates a label; traps unless `size` is positive.
  package init(_ text: String, size: Double = standardSize, color: RGBColor = .ink) {
    precondition(size > 0 && size.isFinite, "text cannot be \(size) pixels high")
    (self.text, self.size, self.color) = (text, size, color)
  }

  /// The sum of the characters' widths in pixels.
  package var width: Double { Typeface.glyphs(of: text).reduce(0) { $0 + $1.advance } * size }
  /// The height of a line in pixels, from above accents to below descenders.
  package var height: Double { ascent + descent }

  var ascent: Double { (Typeface.verticalEm(size) * Typeface.ascent).rounded(.up) }
  var descent: Double { (Typeface.verticalEm(size) * Typeface.descent).rounded(.up) }

  /// The label, or its longest start that fits in `limit` pixels together with “…”; empty if not even that fits.
  package func shortened(to limit: Double) -> TextLabel {
    guard width > limit else { return self }
    var label = self
    var start = text[...]
    while !start.isEmpty {
      start.removeLast()
      while start.last?.isWhitespace == true { start.removeLast() }
      label.text = start + "…"
      if label.width <= limit { return label }
    }
    label.text = ""
    return label
  }

  /// The label in at most `count` lines of at most `limit` pixels: broken at the line breaks of `text`, and between
  /// words while a line remains for the text that follows. Text that does not fit is shortened.
  package func lines(fitting limit: Double, atMost count: Int = 2) -> [TextLabel] {
    precondition(count > 0, "a text needs a line")
    var paragraphs = text.split(whereSeparator: \.isNewline).map { $0.split(separator: " ") }.filter { !$0.isEmpty }
    if paragraphs.count > count { paragraphs[(count - 1)...] = [paragraphs[(count - 1)...].flatMap { $0 }] }
    var lines: [[Substring]] = []
    for (i, paragraph) in paragraphs.enumerated() {
      let last = count - (paragraphs.count - 1 - i)
      lines.append([])
      for word in paragraph {
        let longer = lines[lines.count - 1] + [word]
        if longer.count == 1 || lines.count == last || with(longer).width <= limit {
          lines[lines.count - 1] = longer
        } else {
          lines.append([word])
        }
      }
    }
    return lines.map { with($0).shortened(to: limit) }
  }

  private func with(_ words: [Substring]) -> TextLabel {
    var label = self
    label.text = words.joined(separator: " ")
    return label
  }
}

/// The point of a text that is at the given position.
package enum TextAnchor: Sendable {
  case start, middle, end

  /// The part of a text's width before its position.
  var share: Double {
    switch self {
    case .start: 0
    case .middle: 0.5
    case .end: 1
    }
  }
}

extension RGBColor {
  package static let ink = RGBColor(red: 32, green: 32, blue: 32)

  /// Eight colors that people with color vision deficiency can distinguish (M. Okabe and K. Ito, “Color universal
  /// design”, 2008); the last one, a dark gray, replaces their black.
  package static let okabeIto = [
    RGBColor(red: 0, green: 114, blue: 178), RGBColor(red: 230, green: 159, blue: 0),
    RGBColor(red: 0, green: 158, blue: 115), RGBColor(red: 204, green: 121, blue: 167),
    RGBColor(red: 86, green: 180, blue: 233), RGBColor(red: 213, green: 94, blue: 0),
    RGBColor(red: 240, green: 228, blue: 66), RGBColor(red: 90, green: 90, blue: 90),
  ]
}

extension RGBImage {
  /// Draws a label, clipped at the edges of the image. `x` is the column of the anchor, `y` the row of the line's upper
  /// edge.
  package mutating func draw(_ label: TextLabel, x: Int, y: Int, anchor: TextAnchor = .start) {
    draw(label, baseline: [Double(x), Double(y) + label.ascent], anchor: anchor, in: frame)
  }

  /// Draws a label along its baseline, or upward, with the baseline in column `baseline.x`.
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

  /// Stems are about a pixel wide and rarely cover one pixel fully; this compensates for the loss.
  private static let textWeight = 1.35
}
