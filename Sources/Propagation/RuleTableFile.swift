import Foundation
import Networks
import Tensors
import Yams

extension RuleTable {
  /// Reads a table from a YAML file: a `name`, and `rules`, a list of rows.
  ///
  /// A row has `rule` (zPlus, zB, winnerTakesAll, even, proportional or pass), the rule's parameters (`ties: first|split` for
  /// winnerTakesAll; `lower` and `upper` for zB with one scalar box), and any of `op` (an operator family or a list of them),
  /// `name` (a pattern with `*` and `?`) and `position` (first or last), all of which must hold.
  ///
  /// - Throws: `RuleTableFileError` with line and column.
  public init(contentsOf path: String, pixelRange: PixelRange?) throws {
    guard let data = FileManager.default.contents(atPath: path) else { throw RuleTableFileError.missing(path) }
    guard let text = String(data: data, encoding: .utf8) else {
      throw RuleTableFileError.invalid(path, line: 1, column: 1, found: "bytes that are not UTF-8", expected: "YAML")
    }
    try self.init(yaml: text, file: path, pixelRange: pixelRange)
  }

  /// Reads a table from YAML text; `file` is what errors call it. See `init(contentsOf:pixelRange:)`.
  public init(yaml: String, file: String = "rules", pixelRange: PixelRange?) throws {
    let reader = YAMLReader(file: file)
    let root = try reader.mapping(try reader.parse(yaml), what: "a table with name and rules")
    try reader.admit(["name", "rules"], in: root)
    let rows = try reader.list(
      try reader.value("rules", in: root, expected: "a list of rows"), expected: "a list of rows")
    self.init(
      name: try root["name"].map { try reader.text($0, expected: "a name") } ?? file,
      rows: try rows.map { try Row($0, reader) }, pixelRange: pixelRange)
  }
}

extension RuleTable.Row {
  fileprivate init(_ node: Yams.Node, _ reader: YAMLReader) throws {
    let row = try reader.mapping(node, what: "a row such as {op: Conv, rule: zPlus}")
    let ruleNode = try reader.value("rule", in: row, expected: "a rule's name")
    let rule: any Rule
    var parameters: [String] = []
    switch try reader.text(ruleNode, expected: "a rule's name") {
    case "zPlus": rule = ZPlus()
    case "zB":
      parameters = ["lower", "upper"]
      let bounds = try parameters.map { try reader.number($0, in: row) }
      switch (bounds[0], bounds[1]) {
      case (nil, nil): rule = ZBox()
      case (let lower?, let upper?) where lower <= upper: rule = ZBox(box: .scalar(lower: lower, upper: upper))
      default: throw reader.error(node, found: "half a box", expected: "lower ≤ upper, both or neither")
      }
    case "winnerTakesAll":
      parameters = ["ties"]
      rule = WinnerTakesAll(ties: try reader.choice("ties", in: row) ?? .first)
    case "even": rule = Even()
    case "proportional": rule = Proportional()
    case "pass": rule = Pass()
    case let other:
      throw reader.error(
        ruleNode, found: "rule \(other)", expected: "zPlus, zB, winnerTakesAll, even, proportional or pass")
    }
    try reader.admit(["op", "name", "position", "rule"] + parameters, in: row)
    self.init(
      Selector(
        operators: try row["op"].map { try reader.operators($0) },
        name: try row["name"].map { try reader.text($0, expected: "a pattern") },
        position: try reader.choice("position", in: row)), rule)
  }
}

/// Reads YAML nodes and says where one is wrong.
private struct YAMLReader {
  let file: String

  func parse(_ text: String) throws -> Yams.Node {
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw RuleTableFileError.invalid(
          file, line: 1, column: 1, found: "nothing", expected: "a table with name and rules")
      }
      return node
    } catch let error as YamlError {
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        throw RuleTableFileError.invalid(
          file, line: mark.line, column: mark.column, found: problem.trimmingCharacters(in: .whitespacesAndNewlines),
          expected: "YAML")
      default: throw RuleTableFileError.invalid(file, line: 1, column: 1, found: "\(error)", expected: "YAML")
      }
    }
  }

  func error(_ node: Yams.Node, found: String, expected: String) -> RuleTableFileError {
    .invalid(file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, found: found, expected: expected)
  }

  func describe(_ node: Yams.Node) -> String {
    switch node {
    case .scalar(let scalar): "\"\(scalar.string)\""
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  func mapping(_ node: Yams.Node, what: String) throws -> Yams.Node.Mapping {
    guard let mapping = node.mapping else { throw error(node, found: describe(node), expected: what) }
    return mapping
  }

  func list(_ node: Yams.Node, expected: String) throws -> Yams.Node.Sequence {
    guard let sequence = node.sequence else { throw error(node, found: describe(node), expected: expected) }
    return sequence
  }

  func text(_ node: Yams.Node, expected: String) throws -> String {
    guard let scalar = node.scalar else { throw error(node, found: describe(node), expected: expected) }
    return scalar.string
  }

  func value(_ key: String, in mapping: Yams.Node.Mapping, expected: String) throws -> Yams.Node {
    guard let value = mapping[key] else {
      throw RuleTableFileError.invalid(
        file, line: mapping.mark?.line ?? 1, column: mapping.mark?.column ?? 1, found: "no \(key)",
        expected: "\(key): \(expected)")
    }
    return value
  }

  func admit(_ keys: [String], in mapping: Yams.Node.Mapping) throws {
    for (key, _) in mapping where !keys.contains(key.string ?? "") {
      throw error(key, found: describe(key), expected: keys.joined(separator: ", "))
    }
  }

  func number(_ key: String, in mapping: Yams.Node.Mapping) throws -> Float? {
    guard let node = mapping[key] else { return nil }
    guard let number = node.float, number.isFinite else {
      throw error(node, found: describe(node), expected: "a number")
    }
    return Float(number)
  }

  func choice<Value: RawRepresentable & CaseIterable>(
    _ key: String, in mapping: Yams.Node.Mapping
  ) throws -> Value? where Value.RawValue == String {
    guard let node = mapping[key] else { return nil }
    let choices = Value.allCases.map(\.rawValue).joined(separator: " or ")
    guard let value = Value(rawValue: try text(node, expected: choices)) else {
      throw error(node, found: describe(node), expected: choices)
    }
    return value
  }

  func operators(_ node: Yams.Node) throws -> Set<OperatorKind> {
    let names = node.sequence.map(Array.init) ?? [node]
    return try Set(
      names.map { name in
        let text = try text(name, expected: "an operator's name, or a list of them")
        guard let kind = OperatorKind(named: text) else {
          throw error(
            name, found: "operator \(text)",
            expected: "one of \(OperatorKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return kind
      })
  }
}

/// A rule table's file that cannot be read.
public enum RuleTableFileError: RelevanceKitError, Equatable {
  /// There is no readable file of that name.
  case missing(String)
  /// Something in it is wrong; lines and columns count from 1.
  case invalid(String, line: Int, column: Int, found: String, expected: String)

  public var category: ErrorCategory {
    switch self {
    // A bare word was meant as a preset's name.
    case .missing(let file): file.contains(where: { "./".contains($0) }) ? .missingInput : .usage
    case .invalid: .badData
    }
  }

  public var description: String {
    switch self {
    case .missing(let file):
      "\(file): no such rule table; expected \(RuleTable.presetNames.joined(separator: ", ")) or a YAML file"
    case .invalid(let file, let line, let column, let found, let expected):
      "\(file):\(line):\(column): found \(found); expected \(expected)"
    }
  }
}
