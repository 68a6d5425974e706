import RelevanceImaging

extension Drawing {
  /// The drawing as a self-contained SVG document with a white background and text elements. Its bytes are
  /// reproducible.
  ///
  /// Text has the width of the built-in typeface, regardless of the typeface of the reader's system.
  func svg() -> String {
    var writer = SVGWriter()
    writer.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
    writer.line(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\""
        + " role=\"img\" font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">")
    if !title.isEmpty { writer.line("<title>\(SVGWriter.escaped(title))</title>") }
    writer.line("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>")
    for element in elements { writer.write(element) }
    writer.line("</svg>")
    return writer.document
  }
}

/// Writes elements as SVG, one per line.
private struct SVGWriter {
  private(set) var document = ""
  private var clipCount = 0

  mutating func line(_ text: String) { document += text + "\n" }

  mutating func write(_ element: Drawing.Element) {
    switch element {
    case .area(let points, let color, let opacity):
      guard !points.isEmpty else { return }
      let fading = opacity < 1 ? " fill-opacity=\"\(number(opacity))\"" : ""
      line("<path d=\"\(path(points))Z\" fill=\"\(hex(color))\"\(fading)/>")
    case .line(let points, let color, let width, let dashes):
      guard points.count > 1 else { return }
      let pattern = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes.map(number).joined(separator: " "))\""
      line(
        "<path d=\"\(path(points))\" fill=\"none\" stroke=\"\(hex(color))\" stroke-width=\"\(number(width))\""
          + " stroke-linejoin=\"round\"\(pattern)/>")
    case .text(let label, let point, let anchor, let isUpward):
      guard !label.text.isEmpty else { return }
      let place = "x=\"\(number(point.x))\" y=\"\(number(point.y))\""
      let turn = isUpward ? " transform=\"rotate(-90 \(number(point.x)) \(number(point.y)))\"" : ""
      line(
        "<text \(place) font-size=\"\(number(label.size))\" fill=\"\(hex(label.color))\" text-anchor=\"\(anchor)\""
          + " textLength=\"\(number(label.width))\" lengthAdjust=\"spacingAndGlyphs\"\(turn)>"
          + "\(Self.escaped(label.text))</text>")
    case .clipped(let box, let elements):
      clipCount += 1
      let identifier = "clip\(clipCount)"
      line("<clipPath id=\"\(identifier)\"><path d=\"\(path(box.corners))Z\"/></clipPath>")
      line("<g clip-path=\"url(#\(identifier))\">")
      for element in elements { write(element) }
      line("</g>")
    }
  }

  private func path(_ points: [Drawing.Point]) -> String {
    "M" + points.map { "\(number($0.x)) \(number($0.y))" }.joined(separator: "L")
  }

  /// The number with at most two decimals, without trailing zeros.
  private func number(_ value: Double) -> String {
    let hundredths = (min(max(value, -1e9), 1e9) * 100).rounded()
    return hundredths.remainder(dividingBy: 100) == 0 ? "\(Int(hundredths / 100))" : "\(hundredths / 100)"
  }

  private func hex(_ color: RGBColor) -> String { "#" + [color.red, color.green, color.blue].hexadecimal }

  /// The text with XML's special characters escaped, and characters replaced that XML does not allow.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case _ where scalar.properties.isWhitespace: result += " "
      case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
