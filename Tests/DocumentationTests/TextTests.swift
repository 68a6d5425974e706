import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Checks that the code in the documentation is compiled and run by these tests, and that the package can read its
/// files.
@Suite struct TextTests {
  private static let blocks = DocumentationText.blocks(of: DocumentationText.pages)

  private static func blocks(in language: String) -> [CodeBlock] { blocks.filter { $0.language == language } }

  @Test func documentationHasBlocks() {
    #expect(Set(Self.blocks.map(\.language)).isSuperset(of: ["", "swift", "yaml", "json"]))
    #expect(DocumentationText.pages.count >= 19)
  }

  /// Lines of code in a comparable form: without indentation, alignment, empty lines, imports and comments after code,
  /// and with the paths of the text.
  private static func comparable(_ lines: [String]) -> [String] {
    lines.map { line in
      let code = line.replacing(/(\S)\s+\/\/ .*$/) { String($0.1) }
      let words = code.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return words.replacing(/\bat\(("(?:[^"\\]|\\.)*")\)/) { String($0.1) }
    }.filter { !$0.isEmpty && !$0.hasPrefix("import ") }
  }

  @Test func everySwiftBlockIsRun() {
    let sources = DocumentationText.examples.map { Self.comparable($0.lines) }
    let inComments = DocumentationText.blocks(of: DocumentationText.comments).filter { $0.language == "swift" }
    for block in Self.blocks(in: "swift") + inComments where !block.isManifest {
      let lines = Self.comparable(block.lines)
      let isRun = sources.contains { source in
        source.indices.contains { source[$0...].starts(with: lines) }
      }
      #expect(isRun, "\(block) is not in Tests/DocumentationTests as it stands: \(lines.first ?? "")")
    }
  }

  @Test func everyManifestIsValid() throws {
    let scratch = try Fixtures.Scratch()
    for block in Self.blocks(in: "swift") where block.isManifest {
      try Data(block.text.utf8).write(to: scratch.url.appendingPathComponent("Package.swift"))
      let outcome = try BuiltTool.output(
        of: URL(fileURLWithPath: "/usr/bin/env"), ["swift", "package", "dump-package"], in: scratch.url)
      #expect(outcome.status == 0 && outcome.text.contains("RelevanceKit"), "\(block)")
    }
  }

  @Test func everyTableIsRead() throws {
    for block in Self.blocks(in: "yaml") {
      #expect(throws: Never.self, "\(block)") { try RuleTable(yaml: block.text, pixelRange: .imageNet) }
    }
  }

  @Test func everyModelFileIsRead() throws {
    let scratch = try Fixtures.Scratch()
    for block in Self.blocks(in: "json") {
      try Data(block.text.utf8).write(to: URL(fileURLWithPath: scratch.path("file.json")))
      #expect(throws: Never.self, "\(block)") {
        let labels = try Labels(contentsOf: scratch.path("file.json"))
        if labels == nil { _ = try Preprocessing(contentsOf: scratch.path("file.json")) }
      }
    }
  }

  @Test func everyFileExists() {
    for (place, code) in DocumentationText.codeSpans(of: DocumentationText.pages) {
      for match in code.matches(of: /(?:^|\s)((?:Tools|Fixtures|Sources|Tests|Documentation)\/[A-Za-z0-9\/._-]+)/) {
        let file = Fixtures.root.appendingPathComponent(String(match.1))
        #expect(FileManager.default.fileExists(atPath: file.path), "\(place): \(match.1)")
      }
    }
  }
}

extension CodeBlock {
  /// Whether the block is a `Package.swift`.
  fileprivate var isManifest: Bool { lines.first?.hasPrefix("// swift-tools-version") ?? false }
}
