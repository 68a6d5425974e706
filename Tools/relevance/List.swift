import ArgumentParser
import RelevanceKit
import ToolSupport

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
        Self.aligned(
          MethodCatalog.standard.types.map { type in
            (
              type.name,
              type.parameters.map { "\($0.name)=\($0.defaultValue?.description ?? "")" }.joined(separator: ",")
            )
          })
      case .rules:
        Self.aligned(
          RuleCatalog.standard.types.map { ($0.name, $0.parameters.map(Self.text).joined(separator: ", ")) })
      case .tables: RuleTable.presetNames
      case .operators: ONNXFile.operators
      case .models: Self.aligned(FetchedModels.names.map { ($0, "\(FetchedModels.folder)/\($0)") })
      }
    }

    /// `bias=absorbed (bypassed or absorbed or distributed)`
    private static func text(_ parameter: Parameter) -> String {
      "\(parameter.name)\(parameter.defaultValue.map { "=\($0)" } ?? "") (\(parameter.expected))"
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
    for line in subject.lines { print(line) }
    if subject == .models, subject.lines.isEmpty {
      Console.note("no model in \(FetchedModels.folder); Tools/models/fetch --list says what can be fetched")
    }
  }
}
