import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the available methods, rules, rule tables, ONNX operators or models.",
    discussion: """
      Examples:
        relevance list rules
        relevance list operators
      """)

  /// The lists.
  enum Subject: String, CaseIterable, ExpressibleByArgument {
    case methods
    case rules
    case tables
    case operators
    case models

    /// A line for each entry, with its parameters.
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

    /// The name of a type and the texts of its parameters.
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
      Console.note(
        "no models in \(FetchedModels.folder); Tools/models/fetch --list prints the models that it can fetch")
    }
  }
}
