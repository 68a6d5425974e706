import Foundation

/// The outlines of one character: polygons in ems, y upward from the baseline; their inside is ink.
struct Glyph {
  /// The distance to the next character, in ems.
  let advance: Double
  /// Closed polygons; holes have the opposite orientation.
  let contours: [[SIMD2<Double>]]
}

/// The typeface of all labels: printable ASCII, the signs of numbers, the Greek letters of formulas, and the accented
/// letters of class names.
enum Typeface {
  /// The height above the baseline that a line needs, in ems.
  static let ascent = 0.95
  /// The depth below the baseline that a line needs, in ems.
  static let descent = 0.22

  /// The em that scales heights for a text size in pixels: close to the size, and chosen so that lowercase letters are
  /// a whole number of pixels high, which keeps their upper edges sharp.
  static func verticalEm(_ size: Double) -> Double { max((size * xHeight).rounded(), 1) / xHeight }

  /// The height of lowercase letters, in ems.
  private static let xHeight = 0.522

  /// The glyphs of a text in order. A character that the typeface lacks is written in Latin letters without accents, or
  /// as a box.
  static func glyphs(of text: String) -> [Glyph] {
    text.flatMap { character -> [Glyph] in
      let precomposed = String(character).precomposedStringWithCanonicalMapping.unicodeScalars
      if precomposed.count == 1, let glyph = glyph(of: precomposed.first!) { return [glyph] }
      let latin = String(character).applyingTransform(.toLatin, reverse: false) ?? String(character)
      let plain = latin.applyingTransform(.stripDiacritics, reverse: false) ?? latin
      let folded = plain.folding(options: [.diacriticInsensitive, .widthInsensitive], locale: nil).unicodeScalars
      return folded.isEmpty ? [box] : folded.map { glyph(of: $0) ?? box }
    }
  }

  static let box = Glyph(
    advance: 0.62,
    contours: [
      [[0.06, 0], [0.56, 0], [0.56, 0.7], [0.06, 0.7]], [[0.11, 0.05], [0.11, 0.65], [0.51, 0.65], [0.51, 0.05]],
    ])

  private static func glyph(of scalar: Unicode.Scalar) -> Glyph? {
    scalar.properties.isWhitespace ? all[" "] : all[scalar]
  }

  private static let all: [Unicode.Scalar: Glyph] = {
    var glyphs: [Unicode.Scalar: Glyph] = [:]
    for entry in outlines.split(separator: "=") {
      let tokens = entry.split(whereSeparator: \.isWhitespace)
      guard tokens.count > 1, let scalar = UInt32(tokens[0], radix: 16).flatMap(Unicode.Scalar.init) else { continue }
      glyphs[scalar] = Glyph(advance: Double(tokens[1])! / unitsPerEm, contours: contours(tokens.dropFirst(2)))
    }
    return glyphs
  }()

  private static let unitsPerEm = 512.0

  private typealias OutlinePoint = (place: SIMD2<Double>, isControl: Bool)

  private static func contours(_ tokens: ArraySlice<Substring>) -> [[SIMD2<Double>]] {
    var outlines: [[OutlinePoint]] = []
    var place = SIMD2<Double>()
    for token in tokens {
      if token.first == ":" { outlines.append([]) }
      let step = token.drop { $0 == ":" || $0 == "~" }.split(separator: ",").map { Double($0)! }
      place += [step[0], step[1]]
      outlines[outlines.count - 1].append((place / unitsPerEm, token.contains("~")))
    }
    return outlines.map(polygon)
  }

  /// Converts quadratic curves to straight pieces.
  private static func polygon(_ outline: [OutlinePoint]) -> [SIMD2<Double>] {
    guard let last = outline.last else { return [] }
    // Start on the curve, if necessary halfway between two control points.
    var current = last.isControl ? (last.place + outline[0].place) / 2 : last.place
    if last.isControl, !outline[0].isControl { current = outline[0].place }
    var points: [SIMD2<Double>] = [current]
    for (i, point) in outline.enumerated() {
      guard point.isControl else {
        current = point.place
        points.append(current)
        continue
      }
      let next = outline[(i + 1) % outline.count]
      let end = next.isControl ? (point.place + next.place) / 2 : next.place
      for step in 1...piecesPerCurve {
        let t = Double(step) / Double(piecesPerCurve)
        points.append(current * (1 - t) * (1 - t) + point.place * (2 * t * (1 - t)) + end * (t * t))
      }
      current = end
    }
    return points
  }

  private static let piecesPerCurve = 4
}
