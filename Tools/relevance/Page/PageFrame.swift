import Foundation
import RelevanceKit

/// A self-contained page: one style sheet, one script, and the data that the script draws.
///
/// The content security policy of the page allows only this script and no external resources.
struct PageFrame {
  let title: String
  let style: String
  let script: String
  /// JSON; see `json(_:)`.
  let data: String

  /// The page, in UTF-8.
  func html(body: HTML) -> String {
    let hash = Data(SHA256.digest(of: Data(script.utf8))).base64EncodedString()
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-\(hash)'"
    let page: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(HTML(markup: policy))">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>
      \(HTML(markup: style))
      </style>
      </head>
      <body>
      \(body)
      <script type="application/json" id="data">\(HTML(markup: data))</script>
      <script>\(HTML(markup: script))</script>
      </body>
      </html>

      """
    return page.description
  }

  /// JSON that cannot end the element that contains it, regardless of the names in it.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    var json = String(decoding: try encoder.encode(value), as: UTF8.self)
    // These characters occur only in strings, where escapes are valid.
    for (character, escape) in [
      ("<", "003c"), (">", "003e"), ("&", "0026"), ("\u{2028}", "2028"), ("\u{2029}", "2029"),
    ] {
      json = json.replacingOccurrences(of: character, with: "\\u" + escape)
    }
    return json
  }
}
