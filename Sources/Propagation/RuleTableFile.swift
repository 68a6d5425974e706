import Foundation
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors
import Yams

extension RuleTable {
  /// Reads a table from a YAML file with a `name`, `rules` (a list of rows), and optionally `extends` (a preset whose
  /// rows follow).
  ///
  /// A row has a `rule` (the name of a rule in the catalog), the rule's parameters, and any of these conditions, which
  /// must all hold: `op` (an operator family or a list of them), `name` (a pattern with `*` and `?`), `position` (first
  /// or last), `rank` (the number of axes of the output) and `live` (the number of operands that depend on the input).
  /// With `optional: true`, rows below apply to nodes for which the rule cannot be used. To use custom rules, add them
  /// to `catalog`.
  ///
  /// - Throws: `RelevanceKitError`; for invalid text a `LocatedError` with line and column.
  public init(contentsOf file: some FileLocation, pixelRange: PixelRange?, catalog: RuleCatalog = .standard) throws {
    let path = file.fileSystemPath
    let data: Data
    do { data = try ReadableFile.data(path) } catch FileProblem.missing {
      throw RuleTableFileError.missing(path)
    } catch let problem as FileProblem { throw SimpleError.unreadable(path, reason: problem.reason) }
    guard let text = String(data: data, encoding: .utf8) else {
      throw RuleTableFileError.invalid(path, line: 1, column: 1, found: "bytes that are not UTF-8", expected: "YAML")
    }
    try self.init(yaml: text, file: path, pixelRange: pixelRange, catalog: catalog)
  }

  /// Reads a table from YAML text; `file` names the text in errors. See `init(contentsOf:pixelRange:catalog:)`.
  ///
  /// - Throws: `RelevanceKitError`; for invalid text a `LocatedError` with line and column.
  public init(
    yaml: String, file: String = "rules", pixelRange: PixelRange?, catalog: RuleCatalog = .standard
  ) throws {
    let reader = YAMLReader(file: file)
    let root = try reader.mapping(try reader.parse(yaml), what: "a table with name and rules")
    try reader.admit(["name", "extends", "rules"], in: root)
    let list = try reader.value("rules", in: root, expected: "a list of rows")
    let rows = try reader.some(list.sequence, of: list, expected: "a list of rows")
    let base = try root["extends"].map { node in
      let expected = "one of \(Self.presetNames.joined(separator: ", "))"
      let name = try reader.text(node, expected: expected)
      guard let preset = Self.preset(name, pixelRange: nil) else {
        throw reader.error(node, found: "preset \(name)", expected: expected)
      }
      return preset
    }
    self.init(
      name: try root["name"].map { try reader.text($0, expected: "a name") } ?? file,
      rows: try rows.map { try Row($0, reader, catalog) } + (base?.rows ?? []), pixelRange: pixelRange)
  }

  /// The table as YAML text. Reading the text gives the same table.
  ///
  /// - Throws: `RelevanceKitError` for a rule that is not a `NamedRule`.
  public func yaml() throws -> String {
    let list = try rows.map { row -> Yams.Node in
      guard let rule = row.rule as? any NamedRule else { throw RuleTableFileError.unnamed("\(row)") }
      var pairs: [(Yams.Node, Yams.Node)] = []
      func add(_ key: String, _ value: Yams.Node) { pairs.append((Yams.Node(key), value)) }
      if let operators = row.selector.operators {
        let names = RuleTable.Selector.sorted(operators).map { Yams.Node($0.name) }
        add("op", names.count == 1 ? names[0] : .sequence(.init(names, .implicit, .flow)))
      }
      if let name = row.selector.name { add("name", Yams.Node(name)) }
      if let position = row.selector.position { add("position", Yams.Node(position.rawValue)) }
      if let rank = row.selector.rank { add("rank", Yams.Node(String(rank))) }
      if let live = row.selector.live { add("live", Yams.Node(String(live))) }
      if row.isOptional { add("optional", Yams.Node("true")) }
      add("rule", Yams.Node(type(of: rule).name))
      for (name, text) in rule.texts {
        guard text.hasPrefix("[") else {
          add(name, Yams.Node(text))
          continue
        }
        let items = text.dropFirst().dropLast().split(separator: ", ").map { Yams.Node(String($0)) }
        add(name, .sequence(.init(items, .implicit, .flow)))
      }
      return .mapping(.init(pairs, .implicit, .flow))
    }
    let root = Yams.Node.mapping(
      .init([(Yams.Node("name"), Yams.Node(name)), (Yams.Node("rules"), .sequence(.init(list)))]))
    return try Yams.serialize(node: root, width: -1, allowUnicode: true)
  }
}

extension RuleTable.Row {
  fileprivate init(_ node: Yams.Node, _ reader: YAMLReader, _ catalog: RuleCatalog) throws {
    let row = try reader.mapping(node, what: "a row such as {op: Conv, rule: zPlus}")
    let ruleNode = try reader.value("rule", in: row, expected: "a rule's name")
    let type = try reader.located(at: ruleNode) {
      try catalog.type(named: try reader.text(ruleNode, expected: "a rule's name"))
    }
    let rule = try reader.rule(type, at: ruleNode, in: row)
    self.init(
      RuleTable.Selector(
        operators: try row["op"].map { try reader.operators($0) },
        name: try row["name"].map { try reader.text($0, expected: "a pattern") },
        position: try reader.choice("position", in: row), rank: try reader.count("rank", of: "axes", in: row),
        live: try reader.count("live", of: "operands", in: row)), rule,
      isOptional: try reader.flag("optional", in: row))
  }
}

/// Reads YAML nodes and reports the position of errors.
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
          file, line: mark.line, column: mark.column,
          found: String(problem.trimmingCharacters(in: .whitespacesAndNewlines).trimmingPrefix("found ")),
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

  /// The value of a node; throws an error if it is nil.
  func some<Value>(_ value: Value?, of node: Yams.Node, expected: String) throws -> Value {
    guard let value else { throw error(node, found: describe(node), expected: expected) }
    return value
  }

  func mapping(_ node: Yams.Node, what: String) throws -> Yams.Node.Mapping {
    try some(node.mapping, of: node, expected: what)
  }

  func text(_ node: Yams.Node, expected: String) throws -> String {
    try some(node.scalar?.string, of: node, expected: expected)
  }
  /// A parameter's value as text; a list in the form of one line.
  func argument(_ node: Yams.Node, expected: String) throws -> String {
    guard let list = node.sequence else { return try text(node, expected: expected) }
    return "[\(try list.map { try text($0, expected: expected) }.joined(separator: ", "))]"
  }

  func value(_ key: String, in mapping: Yams.Node.Mapping, expected: String) throws -> Yams.Node {
    guard let value = mapping[key] else {
      throw RuleTableFileError.invalid(
        file, line: mapping.mark?.line ?? 1, column: mapping.mark?.column ?? 1, found: "no \(key)",
        expected: "\(key): \(expected)")
    }
    return value
  }

  /// The rule of a row.
  func rule<Named: NamedRule>(
    _ type: Named.Type, at node: Yams.Node, in row: Yams.Node.Mapping
  ) throws -> any NamedRule {
    try admit(["op", "name", "position", "rank", "live", "optional", "rule"] + type.parameterNames, in: row)
    var rule = Named()
    for (key, value) in row {
      guard let parameter = type.parameters.first(where: { $0.name == key.string }) else { continue }
      let text = try argument(value, expected: parameter.expected)
      // Set one by one, so that an error points at the value.
      try located(at: value) { try rule.set(parameter.name, to: text) }
    }
    try located(at: node) { try rule.checkParameters() }
    return rule
  }

  func admit(_ keys: [String], in mapping: Yams.Node.Mapping) throws {
    for (key, _) in mapping where !keys.contains(key.string ?? "") {
      throw error(key, found: describe(key), expected: keys.joined(separator: ", "))
    }
  }

  func count(_ key: String, of things: String, in mapping: Yams.Node.Mapping) throws -> Int? {
    // The YAML library's own reader of integers accepts base 60, which can overflow.
    try mapping[key].map { node in
      let number = node.scalar.flatMap { Int($0.string) }.flatMap { $0 > 0 ? $0 : nil }
      return try some(number, of: node, expected: "a number of \(things)")
    }
  }

  func flag(_ key: String, in mapping: Yams.Node.Mapping) throws -> Bool {
    try mapping[key].map { try some($0.bool, of: $0, expected: "true or false") } ?? false
  }

  /// Adds the position in the file to an error about a rule's arguments.
  func located<Result>(at node: Yams.Node, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ArgumentError {
      throw self.error(node, found: error.found, expected: error.expected)
    }
  }

  func choice<Value: RawRepresentable & CaseIterable>(
    _ key: String, in mapping: Yams.Node.Mapping
  ) throws -> Value? where Value.RawValue == String {
    let choices = Value.allCases.map(\.rawValue).joined(separator: " or ")
    return try mapping[key].map {
      try some(Value(rawValue: try text($0, expected: choices)), of: $0, expected: choices)
    }
  }

  func operators(_ node: Yams.Node) throws -> Set<OperatorKind> {
    let names = node.sequence.map(Array.init) ?? [node]
    return try Set(
      names.map { name in
        let text = try text(name, expected: "an operator's name, or a list of them")
        guard let kind = OperatorKind(named: text) else {
          let expected = ArgumentError.one(of: OperatorKind.all.map(\.name), like: text)
          throw error(name, found: "operator \(text)", expected: expected)
        }
        return kind
      })
  }
}

/// An error in the file of a rule table.
package enum RuleTableFileError: LocatedError, Equatable {
  case missing(String)
  case invalid(String, line: Int, column: Int, found: String, expected: String)
  case unnamed(String)

  package var category: ErrorCategory {
    switch self {
    // A word without a dot or slash was meant as the name of a preset.
    case .missing(let file): file.contains(where: { "./".contains($0) }) ? .missingInput : .usage
    case .invalid, .unnamed: .badData
    }
  }

  package var place: (line: Int, column: Int)? {
    guard case .invalid(_, let line, let column, _, _) = self else { return nil }
    return (line, column)
  }

  package var description: String {
    switch self {
    case .missing(let file):
      "\(file): no such rule table"
        + (Suggestion.nearest(to: file, among: RuleTable.presetNames).map { " (did you mean \($0)?)" } ?? "")
        + "; expected \(RuleTable.presetNames.joined(separator: ", ")) or a YAML file"
    case .invalid(let file, let line, let column, let found, let expected):
      "\(file):\(line):\(column): found \(found); expected \(expected)"
    case .unnamed(let row): "row \(row): the rule cannot be written as YAML; expected a NamedRule"
    }
  }
}
