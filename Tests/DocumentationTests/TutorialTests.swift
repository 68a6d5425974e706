import Foundation
import RelevanceTestSupport
import Testing

/// Tutorials, run from start to end in one folder: every command of their `console` blocks, and every file that they show.
@Suite struct TutorialTests {
  static let tutorials = Dictionary(grouping: DocumentationText.blocks(of: DocumentationText.pages), by: \.file)
    .filter { $0.value.contains { $0.language == "console" } }.keys.sorted()

  @Test func tutorialsAreThere() { #expect(Self.tutorials.count >= 3) }

  @Test(arguments: tutorials) func runsFromStartToEnd(page: String) throws {
    let scratch = try Fixtures.Scratch()
    try FileManager.default.createSymbolicLink(
      at: scratch.url.appendingPathComponent("Fixtures"),
      withDestinationURL: Fixtures.root.appendingPathComponent("Fixtures"))
    let tools = BuiltTool.url(named: "relevance").deletingLastPathComponent().path
    let lines = try #require(DocumentationText.pages.first { $0.file == page }).lines
    for block in DocumentationText.blocks(of: [(page, lines)]) {
      if let name = Self.fileName(of: block, in: lines) {
        let file = scratch.url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data((block.text + "\n").utf8).write(to: file)
      }
      guard block.language == "console" else { continue }
      for step in Self.steps(of: block) {
        let outcome = try BuiltTool.output(
          of: URL(fileURLWithPath: "/bin/bash"), ["-c", "PATH='\(tools)':$PATH; \(step.command)"], in: scratch.url)
        try #require(outcome.status == 0, "\(block): \(step.command) ends with status \(outcome.status)")
        if let line = ShownOutput.firstMissing(of: step.output, in: outcome.text) {
          Issue.record("\(block): \(step.command) does not print “\(line)” here, but \(outcome.text)")
        }
      }
    }
  }

  /// The file that a block shows, if the line above ends with its name: “Write `rules.yaml`:”.
  private static func fileName(of block: CodeBlock, in lines: [String]) -> String? {
    guard ["yaml", "json"].contains(block.language) else { return nil }
    let above = lines[..<(block.line - 2)].last { !$0.isEmpty } ?? ""
    return above.firstMatch(of: /`([^`]+)`:$/).map { String($0.1) }
  }

  private static func steps(of block: CodeBlock) -> [(command: String, output: [String])] {
    block.lines.reduce(into: []) { steps, line in
      if line.hasPrefix("$ ") {
        steps.append((String(line.dropFirst(2)), []))
      } else if !steps.isEmpty, !line.isEmpty {
        steps[steps.count - 1].output.append(line)
      }
    }
  }
}
