import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists what can be named: methods, rules, rule tables, ONNX operators, models.",
    discussion: """
      Examples:
        relevance list rules
        relevance list operators
      """)

  /// What there is to list.
  enum Subject: String, CaseIterable, ExpressibleByArgument {
    case methods
    case rules
    case tables
    case operators
    case models

    /// A line for each, with its parameters.
    var lines: [String] {
      switch self {
      case .methods:
        Self.aligned(MethodCatalog.standard.types.map { Self.row($0, ",") { name, usual, _ in "\(name)=\(usual)" } })
      case .rules:
        Self.aligned(
          RuleCatalog.standard.types.map { Self.row($0, ", ") { "\($0)\($1.isEmpty ? "" : "=\($1)") (\($2))" } })
      case .tables: RuleTable.presetNames
      case .operators: ONNXFile.operators
      case .models: Self.aligned(FetchedModels.names.map { ($0, "\(FetchedModels.folder)/\($0)") })
      }
    }

    /// The name of a type, and what `text` makes of its parameters.
    private static func row<Named: Parameterized>(
      _ type: Named.Type, _ separator: String, _ text: (_ name: String, _ usual: String, _ expected: String) -> String
    ) -> (name: String, rest: String) {
      let parameters = type.parameters.map { text($0.name, $0.usual.text, $0.expected) }
      return (type.name, parameters.joined(separator: separator))
    }

    private static func aligned(_ rows: [(name: String, rest: String)]) -> [String] {
      let width = rows.map(\.name.count).max() ?? 0
      return rows.map { row in
        row.rest.isEmpty ? row.name : row.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + row.rest
      }
    }
  }

  @Argument(help: "What to list.")
  var subject: Subject

  func run() {
    for line in subject.lines { Console.result(line.printable) }
    if subject == .models, subject.lines.isEmpty {
      Console.note("no model in \(FetchedModels.folder); Tools/models/fetch --list says what can be fetched")
    }
  }
}
