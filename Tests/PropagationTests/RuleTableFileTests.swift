import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rule tables in YAML: their content, and errors with line and column.
@Suite struct RuleTableFileTests {
  private static func rows(_ table: RuleTable) -> [String] { table.rows.map(\.description) }

  @Test func thePaperAsAFile() throws {
    let yaml = """
      name: paper
      rules:
        - {op: Conv, position: first, rule: zB}
        - {op: [Conv, Gemm], rule: zPlus}
        - {op: MaxPool, rule: winnerTakesAll, ties: first}
        - {op: [AveragePool, GlobalAveragePool, ReduceMean], rule: even}
        - {op: [Relu, BatchNormalization, LRN, Dropout], rule: pass}
      """
    let table = try RuleTable(yaml: yaml, pixelRange: .imageNet)
    let preset = RuleTable.paper(pixelRange: .imageNet)
    #expect(table.name == preset.name)
    // The preset continues with rows for operators that the paper's networks do not have.
    #expect(Self.rows(table) == Array(Self.rows(preset).prefix(5)))
    #expect(table.pixelRange == .imageNet)
  }

  @Test(arguments: [
    ("rules:\n  - {op: Conf, rule: zPlus}\n", 2, 10),
    ("rules:\n  - {op: Conv, rule: zPlus}\n  - {rule: nothing}\n", 3, 12),
    ("rules: [", 2, 1),
  ]) func mistakesHaveAPlace(yaml: String, line: Int, column: Int) {
    do {
      _ = try RuleTable(yaml: yaml, pixelRange: nil)
      Issue.record("no mistake is found")
    } catch {
      let place = (error as? any LocatedError)?.place
      #expect(place?.line == line && place?.column == column)
      #expect("\(error)".hasPrefix("rules:\(line):\(column): "))
    }
  }

  @Test func everyCondition() throws {
    let yaml = """
      rules:
        - {rule: zPlus, name: "features.*", op: MatMul, position: last}
        - {rule: winnerTakesAll, ties: split, op: MaxPool}
        - {rule: winnerTakesAll, op: MaxPool}
        - {rule: zB, lower: -2.1179, upper: 2.64}
        - {rule: proportional, op: AveragePool}
      """
    let table = try RuleTable(yaml: yaml, file: "mine.yaml", pixelRange: nil)
    #expect(table.name == "mine.yaml")
    #expect(
      Self.rows(table) == [
        "Gemm, name features.*, last: zPlus", "MaxPool: winnerTakesAll(ties: split)",
        "MaxPool: winnerTakesAll(ties: first)", "any: zB(lower: -2.1179, upper: 2.64)", "AveragePool: proportional",
      ])
  }

  /// Every preset, and every rule with every parameter, is read back as it was written.
  @Test func tablesRoundTrip() throws {
    var tables = try RuleTable.presetNames.map { try #require(RuleTable.preset($0, pixelRange: .imageNet)) }
    tables.append(
      RuleTable(name: "every: rule, \"quoted\"", pixelRange: .imageNet) {
        RuleTable.Row(
          RuleTable.Selector(operators: [.conv, .gemm], name: "a: *?#", position: .last, rank: 4),
          ZRule(bias: .distributed)
        )
        RuleTable.Row(.operators(.conv), EpsilonRule(epsilon: 1e-7, bias: .bypassed))
        RuleTable.Row(.operators(.sub, live: 2), ShareBySummandRule(), isOptional: true)
        RuleTable.Row(.name("yes"), GammaRule(gamma: 0.1, bias: .distributed))
        RuleTable.Row(.name("1e3"), GeneralizedGammaRule(gamma: 1.0 / 3))
        RuleTable.Row(RuleTable.Selector(), AlphaBetaRule(alpha: 1.5, beta: 0.5, bias: .bypassed))
        RuleTable.Row(RuleTable.Selector(), ZBoxRule(box: .scalar(lower: -2.1179, upper: 2.64)))
        RuleTable.Row(RuleTable.Selector(), ZPlusRule(bias: .absorbed))
        RuleTable.Row(
          RuleTable.Selector(), ZBoxRule(box: .channels(lower: [-103.939, 0, -1e-7], upper: [151.061, 2, 3])))
        RuleTable.Row(RuleTable.Selector(), WSquareRule(bias: .absorbed))
        RuleTable.Row(RuleTable.Selector(), FlatRule())
        RuleTable.Row(RuleTable.Selector(), WinnerTakesAllRule(ties: .split))
        RuleTable.Row(RuleTable.Selector(), WinnerShareRule())
        RuleTable.Row(RuleTable.Selector(), EvenRule())
        RuleTable.Row(RuleTable.Selector(), ProportionalRule())
        RuleTable.Row(RuleTable.Selector(), TaylorRule(epsilon: 0.5, bias: .bypassed))
        RuleTable.Row(RuleTable.Selector(), ShareBySummandRule(bias: .absorbed))
        RuleTable.Row(.operators(.batchMatMul), MatrixProductRule(shares: .valuesOnly, epsilon: 1e-3))
        RuleTable.Row(.operators(.softmax), SoftmaxRule())
        RuleTable.Row(RuleTable.Selector(), SignalTakesAllRule())
        RuleTable.Row(RuleTable.Selector(), EqualSharesRule())
        RuleTable.Row(RuleTable.Selector(), RearrangeRule())
        RuleTable.Row(RuleTable.Selector(), AbsorbRule())
        RuleTable.Row(RuleTable.Selector(), GradientRule(rectifier: .guided))
        RuleTable.Row(RuleTable.Selector(), PassRule())
      })
    for table in tables {
      let text = try table.yaml()
      let found = try RuleTable(yaml: text, pixelRange: .imageNet)
      #expect(found.name == table.name, "\(text)")
      #expect(found.rows.map(\.selector) == table.rows.map(\.selector), "\(text)")
      #expect(Self.rows(found) == Self.rows(table), "\(text)")
      #expect(try found.yaml() == text)
    }
    let named = Set(tables.flatMap(\.rows).compactMap { ($0.rule as? any NamedRule).map { type(of: $0).name } })
    #expect(named == Set(RuleCatalog.standard.names), "a rule without a row here")
  }

  /// The YAML of a table is as a user would write it.
  @Test func writtenTables() throws {
    let table = RuleTable(name: "mine") {
      RuleTable.Row(.operators(.conv, position: .first), ZBoxRule())
      RuleTable.Row(.operators(.conv, .gemm), EpsilonRule(epsilon: 0.01))
    }
    #expect(
      try table.yaml() == """
        name: mine
        rules:
        - {op: Conv, position: first, rule: zB}
        - {op: [Conv, Gemm], rule: epsilon, epsilon: 0.01}

        """)
    struct Nameless: Rule {
      let description = "mine"
      func objection(at site: RuleSite) -> String? { nil }
      func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] { [] }
    }
    let error = #expect(throws: RuleTableFileError.self) {
      try table.prepending(.init(.name("a"), Nameless())).yaml()
    }
    #expect(error?.description == "row name a: mine: the rule cannot be written as YAML; expected a NamedRule")
  }

  /// Custom rows, followed by those of a preset.
  @Test func presetsAreExtended() throws {
    let yaml = "name: mine\nextends: EpsilonPlus\nrules:\n  - {name: conv1, rule: flat}"
    let table = try RuleTable(yaml: yaml, pixelRange: nil)
    #expect(Self.rows(table) == ["name conv1: flat"] + Self.rows(.epsilonPlus))
  }

  /// A custom rule in the catalog can be used by its name.
  @Test func catalogsAcceptCustomRules() throws {
    struct Halve: NamedRule {
      static let name = "halve"
      static let parameters: [Parameter<Self>] = [.init("times", \.times, atLeast: 1)]
      var times: Float = 1
      func objection(at site: RuleSite) -> String? { nil }
      func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
        [relevance.map { $0 / (2 * times) }]
      }
    }
    let yaml = "rules:\n  - {op: Relu, rule: halve, times: 2}"
    let table = try RuleTable(yaml: yaml, pixelRange: nil, catalog: .standard.adding(Halve.self))
    #expect(Self.rows(table) == ["Relu: halve(times: 2)"])
    #expect(throws: RuleTableFileError.self) { try RuleTable(yaml: yaml, pixelRange: nil) }
    var builder = GraphBuilder(item: [2])
    builder.add("relu", .relu)
    let walk = try Walk(builder.network(), table, Tensor(shape: [1, 2], elements: [1, 2]))
    let entry = try #require(walk.ledger(from: "relu", Tensor(shape: [1, 2], elements: [4, 8])).first)
    #expect(entry.relevanceOut == 3 && entry.losses == [.rule: 9])
  }

  /// Texts and their errors, with line and column.
  @Test(arguments: [
    ("", "rules:1:1: found nothing; expected a table with name and rules"),
    ("- zPlus", "rules:1:1: found a list; expected a table with name and rules"),
    ("name: mine", "rules:1:1: found no rules; expected rules: a list of rows"),
    ("rules: zPlus", "rules:1:8: found \"zPlus\"; expected a list of rows"),
    ("rule: []", "rules:1:1: found \"rule\"; expected name, extends, rules"),
    ("rules:\n  - {op: Conv}", "rules:2:5: found no rule; expected rule: a rule's name"),
    (
      "rules:\n  - {op: Conv, rule: epsilom}",
      "rules:2:22: found rule epsilom; expected epsilon? One of \(RuleCatalog.standard.names.joined(separator: ", "))"
    ),
    (
      "rules:\n  - {op: Conv, rule: lrp}",
      "rules:2:22: found rule lrp; expected one of \(RuleCatalog.standard.names.joined(separator: ", "))"
    ),
    (
      "rules:\n  - {rule: zPlus, ties: first}",
      "rules:2:19: found \"ties\"; expected op, name, position, rank, live, optional, rule, bias"
    ),
    ("rules:\n  - {rule: zB, lower: 1}", "rules:2:12: found only one bound; expected lower ≤ upper, both or neither"),
    (
      "rules:\n  - {rule: zB, lower: 1, upper: 0}",
      "rules:2:12: found lower 1 above upper 0; expected lower ≤ upper, both or neither"
    ),
    (
      "rules:\n  - {rule: zB, lower: [0, 1], upper: [1, 2, 3]}",
      "rules:2:12: found 2 lower and 3 upper bounds; expected the same number of each, or one number for all channels"
    ),
    (
      "rules:\n  - {rule: zB, lower: [0, one], upper: 2}",
      "rules:2:23: found lower \"[0, one]\"; expected a number, or a list such as [1, 2, 3]"
    ),
    (
      "rules:\n  - {rule: epsilon, epsilon: [1, 2]}",
      "rules:2:30: found epsilon \"[1, 2]\"; expected a number of at least 0"
    ),
    (
      "rules:\n  - {rule: zB, lower: low, upper: 0}",
      "rules:2:23: found lower \"low\"; expected a number, or a list such as [1, 2, 3]"
    ),
    (
      "rules:\n  - {rule: epsilon, epsilon: -1}",
      "rules:2:30: found epsilon \"-1\"; expected a number of at least 0"
    ),
    (
      "rules:\n  - {rule: alphaBeta, alpha: 2, beta: 2}",
      "rules:2:12: found alpha 2 and beta 2; expected alpha − beta = 1"
    ),
    // Numbers of base 60 overflowed in the YAML library.
    (
      "rules:\n  - {rule: pass, rank: 99999:59:59:59:59:59:59:59:59:59:59:59}",
      "rules:2:24: found \"99999:59:59:59:59:59:59:59:59:59:59:59\"; expected a number of axes"
    ),
    (
      "rules:\n  - {rule: pass, live: 9223372036854775808}",
      "rules:2:24: found \"9223372036854775808\"; expected a number of operands"
    ),
    ("rules:\n  - {rule: pass, rank: two}", "rules:2:24: found \"two\"; expected a number of axes"),
    (
      "extends: papre\nrules: []",
      "rules:1:10: found preset papre; expected one of \(RuleTable.presetNames.joined(separator: ", "))"
    ),
    ("rules:\n  - {rule: pass, position: middle}", "rules:2:28: found \"middle\"; expected first or last"),
    ("rules:\n  - {rule: winnerTakesAll, ties: all}", "rules:2:34: found ties \"all\"; expected first or split"),
  ])
  func wrongTables(yaml: String, sentence: String) {
    let error = #expect(throws: RuleTableFileError.self) { try RuleTable(yaml: yaml, pixelRange: nil) }
    #expect(error?.description == sentence)
    #expect(error?.category == .badData)
  }

  @Test func unknownOperatorsAreNamed() {
    let error = #expect(throws: RuleTableFileError.self) {
      try RuleTable(yaml: "rules:\n  - {op: [Conv, Convolution], rule: zPlus}", pixelRange: nil)
    }
    #expect(
      error?.description.hasPrefix("rules:2:17: found operator Convolution; expected one of Input, Constant, Conv, ")
        == true)
  }

  @Test func invalidYAMLIsLocated() {
    let error = #expect(throws: RuleTableFileError.self) {
      try RuleTable(yaml: "rules: [\n  {rule: zPlus", pixelRange: nil)
    }
    guard case .invalid("rules", let line, _, _, expected: "YAML") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect((1...3).contains(line))
    #expect(error?.description.contains("\n") == false)
  }

  @Test func missingFiles() {
    let word = #expect(throws: RuleTableFileError.self) { try RuleTable(contentsOf: "papre", pixelRange: nil) }
    #expect(
      word?.description
        == "papre: no such rule table (did you mean paper?); expected \(RuleTable.presetNames.joined(separator: ", ")) or a "
        + "YAML file")
    #expect(word?.category == .usage)
    let file = #expect(throws: RuleTableFileError.self) { try RuleTable(contentsOf: "mine.yaml", pixelRange: nil) }
    #expect(file?.category == .missingInput)
  }

  @Test func filesMustBeText() throws {
    let scratch = try Fixtures.Scratch()
    let path = scratch.path("table.yaml")
    try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: RuleTableFileError.self) { try RuleTable(contentsOf: path, pixelRange: nil) }
    #expect(error?.description == "\(path):1:1: found bytes that are not UTF-8; expected YAML")
    try Data("name: mine\nrules: [{rule: pass}]".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try RuleTable(contentsOf: path, pixelRange: nil).name == "mine")
  }
}
