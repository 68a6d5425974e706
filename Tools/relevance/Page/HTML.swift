import RelevanceKit

/// A piece of HTML. Interpolated text is escaped; interpolated HTML is not.
///
///     let cell: HTML = "<td title=\"\(name)\">\(name)</td>"
struct HTML: ExpressibleByStringInterpolation, CustomStringConvertible {
  private(set) var description: String

  /// Creates a piece from text that is HTML already.
  init(markup: String) { description = markup }

  init(stringLiteral value: String) { description = value }

  init(stringInterpolation: StringInterpolation) { description = stringInterpolation.markup }

  /// The pieces, one per line.
  static func joined(_ pieces: some Sequence<HTML>) -> HTML {
    HTML(markup: pieces.map(\.description).joined(separator: "\n"))
  }

  /// The text with escapes for markup, for quotes in attributes, and for characters that change the display of others.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.printableLines.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  struct StringInterpolation: StringInterpolationProtocol {
    var markup = ""

    init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity) }

    mutating func appendLiteral(_ literal: String) { markup += literal }
    mutating func appendInterpolation(_ html: HTML) { markup += html.description }
    mutating func appendInterpolation(_ text: some CustomStringConvertible) { markup += HTML.escaped(text.description) }
  }
}
