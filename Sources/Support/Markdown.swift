/// Text in Markdown.
package enum Markdown {
  /// A text in one line that shows as it is: what begins elements, links, code or cells of tables is escaped, and so is HTML.
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
