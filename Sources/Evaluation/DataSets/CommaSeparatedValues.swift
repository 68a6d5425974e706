import RelevanceSupport

/// The records of a CSV file. (RFC 4180; lines may also end in LF alone.)
package struct CommaSeparatedValues {
  /// A record with the number of its first line, from 1.
  typealias Record = (line: Int, fields: [String])
  let records: [Record]

  /// Parses a text. Empty lines are not records.
  init(_ text: String, path: String) throws {
    var records: [Record] = []
    var fields: [String] = []
    var field = ""
    var (line, start) = (1, 1)
    /// Whether the field started with a quote, and whether that quote is still open.
    var (isQuoted, isOpen) = (false, false)
    func invalid(found: String) -> SimpleError {
      .invalid(path, place: "line \(line)", expected: "quotes around a whole field", found: found)
    }
    func endRecord() {
      fields.append(field)
      if fields.count > 1 || isQuoted || !field.isEmpty { records.append((start, fields)) }
      (fields, field, isQuoted) = ([], "", false)
    }
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isOpen:
        if rest.first == "\"" { field.append(rest.removeFirst()) } else { isOpen = false }
      case _ where isOpen:
        field.append(character)
        if character.isNewline { line += 1 }
      case "\"":
        guard field.isEmpty, !isQuoted else { throw invalid(found: "one within \(field)") }
        (isQuoted, isOpen) = (true, true)
      case ",":
        fields.append(field)
        (field, isQuoted) = ("", false)
      case "\n", "\r\n":
        endRecord()
        line += 1
        start = line
      default:
        guard !isQuoted else { throw invalid(found: "\(character) after the last") }
        field.append(character)
      }
    }
    guard !isOpen else {
      throw SimpleError.invalid(path, place: "line \(start)", expected: "a closing quote", found: "none")
    }
    endRecord()
    self.records = records
  }

  /// The text of records.
  package static func text(_ records: [[String]], lineEnd: String = "\n") -> String {
    records.map { $0.joined(separator: ",") + lineEnd }.joined()
  }

  /// A field with text that is not a number. Spreadsheets interpret text that starts with `=`, `+`, `-`, `@` or a tab
  /// as a formula, unless an apostrophe precedes it.
  package static func field(text: String, quoted: Bool = false) -> String {
    let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n＝＋－＠".unicodeScalars.contains($0) } ?? false
    return field(isFormula ? "'" + text : text, quoted: quoted)
  }

  /// A text as a field: in quotes if it needs them or if `quoted` is true.
  package static func field(_ text: String, quoted: Bool = false) -> String {
    quoted || text.contains(where: { ",\"\r\n".contains($0) }) ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
