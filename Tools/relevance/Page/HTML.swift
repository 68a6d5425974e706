import RelevanceKit

/// A piece of HTML. Text that is interpolated is escaped; HTML is not.
///
///     let cell: HTML = "<td title=\"\(name)\">\(name)</td>"
struct HTML: ExpressibleByStringInterpolation, CustomStringConvertible {
  private(set) var description: String

  /// Takes text that is HTML already.
  init(markup: String) { description = markup }

  init(stringLiteral value: String) { description = value }

  init(stringInterpolation: StringInterpolation) { description = stringInterpolation.markup }

  /// Pieces one after the other.
  static func joined(_ pieces: some Sequence<HTML>) -> HTML {
    HTML(markup: pieces.map(\.description).joined(separator: "\n"))
  }

  /// Text with everything escaped that has a meaning in elements and in quoted attributes, or that changes how others are shown.
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
