/// Text in Markdown.
package enum Markdown {
  /// A text as one line of Markdown that displays unchanged. Characters that start elements, links, code or table cells
  /// are escaped, and so is HTML.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.printable.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "|", "[", "]", "`", "*", "\\": result += "\\\(scalar)"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
