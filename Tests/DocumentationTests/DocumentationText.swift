import Foundation
import RelevanceTestSupport

/// A block between fences in the documentation.
struct CodeBlock: Sendable, CustomStringConvertible {
  /// The file, relative to the package's root.
  let file: String
  /// The number of the first line.
  let line: Int
  /// The text after the opening fence.
  let language: String
  let lines: [String]

  var description: String { "\(file):\(line)" }
  var text: String { lines.joined(separator: "\n") }
}

/// The texts for readers: the README, the pages of the catalogs, and the comments of the sources.
enum DocumentationText {
  /// The README, the gallery and all pages of the catalogs.
  static let pages: [(file: String, lines: [String])] =
    files(below: "Sources", ending: ".md").filter {
      $0.file.contains(".docc/")
    } + [page("README.md"), page("Documentation/gallery.md")]

  /// Documentation comments of the sources, one text per file.
  static let comments: [(file: String, lines: [String])] = files(below: "Sources", ending: ".swift").map {
    file, lines in
    let mark = "///"
    return (
      file,
      lines.map { line in
        let line = line.trimmingCharacters(in: .whitespaces)
        return line.hasPrefix(mark) ? String(line.dropFirst(mark.count)) : ""
      }
    )
  }

  /// The blocks of several texts.
  static func blocks(of texts: [(file: String, lines: [String])]) -> [CodeBlock] {
    texts.flatMap { file, lines in
      var blocks: [CodeBlock] = []
      var open: (line: Int, language: String)?
      for (number, line) in lines.enumerated() {
        let line = line.trimmingCharacters(in: .whitespaces)
        guard line.hasPrefix("```") else { continue }
        if let start = open {
          blocks.append(
            CodeBlock(
              file: file, line: start.line, language: start.language, lines: Array(lines[(start.line - 1)..<number])))
          open = nil
        } else {
          open = (number + 2, String(line.dropFirst(3)))
        }
      }
      return blocks
    }
  }

  /// Text in single backticks outside blocks.
  static func codeSpans(of texts: [(file: String, lines: [String])]) -> [(place: String, code: String)] {
    texts.flatMap { file, lines in
      var isInside = false
      var spans: [(place: String, code: String)] = []
      for (number, line) in lines.enumerated() {
        if line.trimmingCharacters(in: .whitespaces).hasPrefix("```") { isInside.toggle() }
        if isInside { continue }
        for match in line.matches(of: /``[^`]+``|`([^`]+)`/) {
          if let code = match.1 { spans.append(("\(file):\(number + 1)", String(code))) }
        }
      }
      return spans
    }
  }

  /// The sources of these tests, and the program of a tutorial, which `Tools/test-dependency` builds and runs.
  static let examples =
    files(below: "Tests/DocumentationTests", ending: ".swift")
    + files(below: "Fixtures/dependent/Sources/Tutorial", ending: ".swift")

  private static func page(_ file: String) -> (file: String, lines: [String]) {
    let text = (try? String(contentsOf: Fixtures.root.appendingPathComponent(file), encoding: .utf8)) ?? ""
    return (file, text.components(separatedBy: "\n"))
  }

  private static func files(below folder: String, ending suffix: String) -> [(file: String, lines: [String])] {
    let url = Fixtures.root.appendingPathComponent(folder)
    let paths = FileManager.default.enumerator(atPath: url.path)?.allObjects as? [String] ?? []
    return paths.filter { $0.hasSuffix(suffix) }.sorted().map { page("\(folder)/\($0)") }
  }
}
