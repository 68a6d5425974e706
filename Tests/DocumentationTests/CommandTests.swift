import Foundation
import RelevanceTestSupport
import Testing

/// Checks that the tools have the commands of the documentation, and that they print the documented output.
@Suite struct CommandTests {
  private static let shown = DocumentationText.blocks(of: DocumentationText.pages).flatMap {
    ShownCommand.commands(of: $0)
  }

  @Test func subcommandsAndOptionsExist() throws {
    let inText = DocumentationText.codeSpans(of: DocumentationText.pages).compactMap { place, code in
      ShownCommand(place: place, line: code, output: [])
    }
    #expect(Self.shown.count > 10)
    var manual = Manual()
    for command in Self.shown + inText {
      let (page, rest) = try manual.page(of: command)
      for word in rest where word.hasPrefix("--") {
        let option = String(word.prefix { $0 != "=" })
        #expect(page.options.contains(option), "\(command): \(option)")
      }
    }
  }

  /// Tutorials are run as a whole, by `TutorialTests`.
  @Test(arguments: shown.filter { $0.isRunnable && !$0.isStep })
  func printsWhatIsShown(command: ShownCommand) throws {
    let scratch = try Fixtures.Scratch()
    try FileManager.default.createSymbolicLink(
      at: scratch.url.appendingPathComponent("Fixtures"),
      withDestinationURL: Fixtures.root.appendingPathComponent("Fixtures"))
    let outcome = try BuiltTool.output(of: BuiltTool.url(named: command.tool), command.words, in: scratch.url)
    #expect(outcome.status == 0, "\(command)")
    if let line = ShownOutput.firstMissing(of: command.output, in: outcome.text) {
      Issue.record("\(command) does not print “\(line)” here, but \(outcome.text)")
    }
  }
}

/// The comparison of output in the documentation with what is printed.
enum ShownOutput {
  /// The first shown line that is not printed, in the order of the lines; nil if all are. Lines of dots stand for others.
  static func firstMissing(of shown: [String], in printed: String) -> String? {
    var rest = printed.split(separator: "\n", omittingEmptySubsequences: false)[...]
    for line in shown where line != "..." {
      guard let found = rest.firstIndex(where: { agree(line, String($0)) }) else { return line }
      rest = rest[(found + 1)...]
    }
    return nil
  }

  /// Whether two lines agree: words are equal, and decimal numbers are equal up to rounding, which differs between
  /// processors.
  private static func agree(_ shown: String, _ printed: String) -> Bool {
    let number = /-?\d+(?:\.\d+)?/
    func parts(_ line: String) -> (text: String, numbers: [Substring]) {
      let line = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return (line.replacing(number, with: "#"), line.matches(of: number).map(\.output))
    }
    let (a, b) = (parts(shown), parts(printed))
    guard a.text == b.text, a.numbers.count == b.numbers.count else { return false }
    return zip(a.numbers, b.numbers).allSatisfy { a, b in
      guard let point = a.firstIndex(of: ".") else { return a == b }
      let decimals = a.distance(from: point, to: a.endIndex) - 1
      let (x, y) = (Double(a) ?? .nan, Double(b) ?? .nan)
      return abs(x - y) <= max(2 * pow(10, -Double(decimals)), 1e-3 * abs(x))
    }
  }
}

/// A command line of the documentation with its documented output.
struct ShownCommand: Sendable, CustomTestStringConvertible, CustomStringConvertible {
  /// The location of the command.
  let place: String
  /// `relevance` or `convert-model`.
  let tool: String
  /// The arguments.
  let words: [String]
  /// The lines after the command.
  var output: [String]
  /// Whether it is a step of a tutorial, which may need the steps before it.
  var isStep = false

  /// Nil if a line is not a command of the package.
  init?(place: String, line: String, output: [String]) {
    var words = Self.words(of: line)
    if words.first == "$" { words.removeFirst() }
    guard let tool = words.first, ["relevance", "convert-model"].contains(tool), words.count > 1 else { return nil }
    (self.place, self.tool, self.output) = (place, tool, output)
    self.words = Array(words.dropFirst())
  }

  var description: String { "\(place): \(tool) \(words.joined(separator: " "))" }
  var testDescription: String { description }

  /// Whether the command's files exist, its output is reproducible, and output is documented.
  var isRunnable: Bool {
    guard tool == "relevance", !output.isEmpty, words[0] != "bench",
      let model = words.first(where: { $0.hasPrefix("Fixtures/") || $0 == "squeezenet1.1" })
    else { return false }
    return model != "squeezenet1.1" || FetchedModel.hasSqueezeNet
  }

  /// The commands of a block, each with the lines after it. A line that ends in a backslash continues.
  static func commands(of block: CodeBlock) -> [ShownCommand] {
    guard ["", "sh", "console"].contains(block.language) else { return [] }
    var commands: [ShownCommand] = []
    var begun = ""
    for (number, line) in block.lines.enumerated() {
      if line.hasSuffix("\\") {
        begun += line.dropLast()
        continue
      }
      let whole = begun + line
      begun = ""
      if let command = ShownCommand(place: "\(block.file):\(block.line + number)", line: whole, output: []) {
        commands.append(command)
        commands[commands.count - 1].isStep = block.language == "console"
      } else if !commands.isEmpty, !line.isEmpty, !line.hasPrefix("$ ") {
        commands[commands.count - 1].output.append(line)
      }
    }
    return commands
  }

  /// Splits a line like a shell: at spaces outside of quotes, up to a comment.
  private static func words(of line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in line {
      switch character {
      case "\"":
        isQuoted.toggle()
        word = word ?? ""
      case "#" where !isQuoted && word == nil: return words
      case " " where !isQuoted:
        if let word { words.append(word) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }
}

/// The help of the tools.
private struct Manual {
  /// The help of a command.
  struct Page {
    let subcommands: Set<String>
    /// The default subcommand.
    let usual: String?
    let options: Set<String>
  }
  private var pages: [[String]: Page] = [:]

  /// The help of the subcommand that a command names, and the remaining words.
  mutating func page(of command: ShownCommand) throws -> (Page, [String]) {
    var rest = command.words[...]
    if rest.first == "help" { rest.removeFirst() }
    var path: [String] = []
    var page = try self.page([command.tool])
    while !page.subcommands.isEmpty, let next = rest.first, !next.hasPrefix("-") {
      if !page.subcommands.contains(next), let usual = page.usual {
        path.append(usual)
        page = try self.page([command.tool] + path)
        continue
      }
      guard page.subcommands.contains(next) else {
        Issue.record("\(command): there is no subcommand \(next)")
        return (page, [])
      }
      path.append(next)
      rest.removeFirst()
      page = try self.page([command.tool] + path)
    }
    return (page, Array(rest))
  }

  private mutating func page(_ path: [String]) throws -> Page {
    if let page = pages[path] { return page }
    let arguments = path.count > 1 ? ["help"] + path.dropFirst() : ["--help"]
    let help = try BuiltTool.output(of: BuiltTool.url(named: path[0]), arguments, in: Fixtures.root).text
    let lists = help.components(separatedBy: "SUBCOMMANDS:\n")
    let subcommands =
      lists.count > 1
      ? lists[1].matches(of: /\n?  ([a-z][a-z-]*)(?: \(default\))?  +[A-ZRule]/).map { String($0.1) } : []
    let page = Page(
      subcommands: Set(subcommands), usual: help.firstMatch(of: /\n  ([a-z-]+) \(default\)/).map { String($0.1) },
      options: Set(help.matches(of: /--[a-z][a-z-]*/).map { String($0.output) }))
    pages[path] = page
    return page
  }
}
