import Foundation
import RelevanceKit

/// A page that needs no other file and no network: one style sheet, one script, and the data that the script draws.
///
/// The page's security policy admits that one script, and nothing from elsewhere.
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

  /// JSON that cannot end the element that it stands in, whatever names it contains.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    var json = String(decoding: try encoder.encode(value), as: UTF8.self)
    // These stand in strings only, where they can be written as escapes.
    for (character, escape) in [
      ("<", "003c"), (">", "003e"), ("&", "0026"), ("\u{2028}", "2028"), ("\u{2029}", "2029"),
    ] {
      json = json.replacingOccurrences(of: character, with: "\\u" + escape)
    }
    return json
  }
}
