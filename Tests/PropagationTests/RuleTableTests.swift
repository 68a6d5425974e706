import RelevanceKit
import RelevanceTestSupport
import Testing

/// The rules that tables assign to nodes, and the errors if they assign none.
@Suite struct RuleTableTests {
  /// A network with two branches that each end in weights: `stem` is the first layer, `left` and `right` are the last.
  private static func forked() throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [4])
    let scaled = builder.add(
      "scale", .multiply, builder.input, builder.constant("two", Tensor(shape: [1], repeating: 2)))
    let stem = builder.add("stem", .seededLinear(inputs: 4, outputs: 6, seed: 1), scaled)
    let relu = builder.add("relu", .relu, stem)
    let left = builder.add("left", .seededLinear(inputs: 6, outputs: 3, seed: 2), relu)
    let middle = builder.add("middle", .seededLinear(inputs: 6, outputs: 5, seed: 3), relu)
    let rectified = builder.add("relu2", .relu, middle)
    let right = builder.add("right", .seededLinear(inputs: 5, outputs: 3, seed: 4), rectified)
    builder.add("sum", .add, left, right)
    return try builder.network()
  }

  /// A rule with a name, so that a test can identify the row that matched.
  struct Marked: Rule {
    let description: String
    func objection(at site: RuleSite) -> String? { nil }
    func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] { [] }
  }

  private static func rules(_ table: RuleTable, for network: NeuralNetwork) throws -> [String: String] {
    let plan = try table.resolve(for: network)
    return Dictionary(uniqueKeysWithValues: plan.assignments.map { ($0.site.node.name, $0.rule.description) })
  }

  @Test func theFirstMatchingRowApplies() throws {
    let table = RuleTable.of(
      .init(.name("left"), Marked(description: "by name")),
      .init(.operators(.gemm, position: .first), Marked(description: "first")),
      .init(.operators(.gemm), Marked(description: "by operator")), .init(.name("l*"), Marked(description: "too late")),
      .init(RuleTable.Selector(), Marked(description: "any")))
    #expect(
      try Self.rules(table, for: Self.forked()) == [
        "scale": "any", "stem": "first", "relu": "any", "left": "by name", "middle": "by operator", "relu2": "any",
        "right": "by operator", "sum": "any",
      ])
  }

  /// First and last are determined by the data flow, not by the order of nodes, and there may be several.
  @Test func positionsComeFromDataFlow() throws {
    let table = RuleTable.of(
      .init(RuleTable.Selector(position: .first), Marked(description: "first")),
      .init(RuleTable.Selector(position: .last), Marked(description: "last")),
      .init(RuleTable.Selector(), Marked(description: "any")))
    let rules = try Self.rules(table, for: Self.forked())
    #expect(rules.filter { $0.value == "first" }.keys.sorted() == ["stem"])
    #expect(rules.filter { $0.value == "last" }.keys.sorted() == ["left", "right"])

    var builder = GraphBuilder(item: [4])
    let late = builder.add("late", .seededLinear(inputs: 4, outputs: 3, seed: 1))
    let early = builder.add("early", .seededLinear(inputs: 4, outputs: 4, seed: 2), builder.input)
    let behind = builder.add("behind", .seededLinear(inputs: 4, outputs: 3, seed: 3), early)
    builder.add("sum", .add, late, behind)
    let two = try Self.rules(table, for: builder.network())
    #expect(two.filter { $0.value == "first" }.keys.sorted() == ["early", "late"])
    #expect(two["behind"] == "last")
  }

  @Test func ranksAreThoseOfOutputs() throws {
    let table = RuleTable.of(
      .init(.operators(.relu, rank: 4), Marked(description: "map")),
      .init(RuleTable.Selector(rank: 2), Marked(description: "vector")),
      .init(RuleTable.Selector(), Marked(description: "any")))
    let rules = try Self.rules(table, for: SampleNetwork.flattened.network())
    #expect(rules["relu1"] == "map" && rules["relu3"] == "vector" && rules["head"] == "vector")
    #expect(rules["conv1"] == "any" && rules["pool"] == "any")
  }

  /// A table written in Swift: rows, other tables, conditions and loops.
  @Test(arguments: [true, false]) func tablesAreWrittenRowByRow(isBoxed: Bool) {
    let table = RuleTable(name: "mine", pixelRange: .imageNet) {
      if isBoxed {
        RuleTable.Row(.operators(.conv, position: .first), ZBoxRule())
      } else {
        RuleTable.Row(.operators(.conv, position: .first), FlatRule())
      }
      for name in ["a*", "b*"] { RuleTable.Row(.name(name), GammaRule(gamma: 0.1)) }
      RuleTable.excitationBackprop
    }
    #expect(table.name == "mine" && table.pixelRange == .imageNet)
    #expect(
      table.rows.prefix(4).map(\.description) == [
        isBoxed ? "Conv, first: zB" : "Conv, first: flat", "name a*: gamma(gamma: 0.1)", "name b*: gamma(gamma: 0.1)",
        "Conv|Gemm|ConvTranspose: zPlus(bias: absorbed)",
      ])
    #expect(table.rows.count == 3 + RuleTable.excitationBackprop.rows.count)
  }

  @Test func prependedRowsTakePrecedence() throws {
    let network = try Self.forked()
    let table = RuleTable.of(.init(RuleTable.Selector(), Marked(description: "old")))
      .prepending(.init(.name("middle"), Marked(description: "new")), .init(.name("m*"), Marked(description: "second")))
    #expect(table.rows.count == 3)
    let rules = try Self.rules(table, for: network)
    #expect(rules["middle"] == "new")
    #expect(rules["stem"] == "old")
    // A custom row takes precedence over the built-in rows.
    #expect(rules["sum"] == "old")
    let builtIn = RuleTable.of(.init(.operators(.gemm, .relu, .mul), Marked(description: "mine")))
    #expect(try Self.rules(builtIn, for: network)["sum"] == "shareBySummand")
  }

  /// Nodes that were merged into another one can still be selected by their names.
  @Test func mergedNodesAreFoundByName() throws {
    var builder = GraphBuilder(item: [4])
    builder.add("product", .seededLinear(inputs: 4, outputs: 3, bias: false, seed: 1))
    builder.add("kept", .dropout)
    let bias = builder.constant("bias", Seeded.tensor([3], seed: 2))
    builder.add("biased", .add, Node.ID(2), bias)
    builder.add("relu", .relu)
    for name in ["product", "kept", "biased"] {
      let table = RuleTable.of(
        .init(.name(name), Marked(description: "found")), .init(RuleTable.Selector(), Marked(description: "any")))
      #expect(try Self.rules(table, for: builder.network()) == ["product": "found", "relu": "any"], "\(name)")
    }
  }

  @Test(arguments: [
    ("conv1", "conv1", true), ("conv1", "conv", false), ("conv", "conv1", false), ("conv1", "conv?", true),
    ("conv", "conv?", false), ("conv12", "conv?", false), ("a/b/conv", "*/conv", true), ("a/b/conv", "a*c*v", true),
    ("a/b/conv", "a*c*w", false), ("", "*", true), ("", "", true), ("x", "", false), ("", "?", false),
    ("abab", "*ab", true),
    ("aab", "*ab", true), ("abc", "***c", true), ("ab", "ab*", true), ("Größe", "Gr??e", true),
    ("conv1", "CONV1", false),
    ("mississippi", "m*iss*pi", true), ("mississippi", "m*issi*s?pi", false),
  ])
  func namesMatchPatterns(name: String, pattern: String, matches: Bool) {
    #expect(name.matches(glob: pattern) == matches)
  }

  @Test func allNodesWithoutARuleAreListed() throws {
    let table = RuleTable(name: "mine", rows: [.init(.name("stem"), ZPlusRule())])
    let error = #expect(throws: RuleTableError.self) { try table.resolve(for: Self.forked()) }
    #expect(
      error?.description
        == "rule table mine: no row matches 6 nodes: scale (Mul), relu (Relu), left (Gemm), middle (Gemm), relu2 (Relu), "
        + "right (Gemm)")
    #expect(error?.category == .badData)
    let almost = table.prepending(.init(.operators(.gemm, .mul), ZPlusRule()), .init(.name("relu"), PassRule()))
    let one = #expect(throws: RuleTableError.self) { try almost.resolve(for: Self.forked()) }
    #expect(one?.description == "rule table mine: no row matches node relu2 (Relu)")
  }

  @Test func allRulesThatDoNotApplyAreListed() throws {
    let table = RuleTable(
      name: "mine",
      rows: [
        .init(.name("scale"), ZPlusRule()), .init(.operators(.relu), WinnerTakesAllRule()),
        .init(.name("stem"), ZBoxRule()),
        .init(.name("middle"), EvenRule()), .init(.name("left"), RearrangeRule()), .init(.name("sum"), PassRule()),
        .init(.name("right"), ShareBySummandRule()),
      ])
    let error = #expect(throws: RuleTableError.self) { try table.resolve(for: Self.forked()) }
    #expect(
      error?.description == """
        rule table mine: zPlus at scale: it applies to Conv, Gemm, ConvTranspose, AveragePool, GlobalAveragePool, \
        ReduceMean, ReduceSum, BatchNormalization, not to Mul; zB at stem: the range of its input, one interval per channel, \
        cannot be derived from the pixel range; specify it in a row of the table, \
        {op: Gemm, position: first, rule: zB, lower: 0, upper: 1}; winnerTakesAll(ties: first) at relu: it \
        applies to MaxPool, GlobalMaxPool, ReduceMax, ReduceMin, Max, Min, not to Relu; rearrange at left: it applies to Concat, \
        Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Pad, Slice, Gather, Expand, Resize, DepthToSpace, SpaceToDepth, \
        GatherElements, GatherND, ScatterElements, ScatterND, ReverseSequence, Tile, Trilu, Where, TopK, \
        GridSample, Cast, not to Gemm; \
        even at middle: it applies to AveragePool, GlobalAveragePool, ReduceMean, ReduceSum, not to Gemm; \
        winnerTakesAll(ties: first) at relu2: it applies to MaxPool, GlobalMaxPool, ReduceMax, ReduceMin, Max, Min, not to Relu; \
        shareBySummand at right: it applies to Add, Sub, not to Gemm; pass at sum: relevance can pass to only one \
        operand, but 2 operands of the node depend on the input
        """)
  }

  /// With a custom box, z^B can be used if the pixel range is unknown.
  @Test func aScalarBoxNeedsNoRange() throws {
    let rows = RuleTable.Row(.operators(.gemm), ZBoxRule(box: .scalar(lower: -1, upper: 1)))
    let table = RuleTable.of(rows, .init(.operators(.relu, .mul), PassRule()))
    #expect(try Self.rules(table, for: Self.forked())["stem"] == "zB(lower: -1, upper: 1)")
  }

  @Test func presetsAreKnownByName() throws {
    for name in RuleTable.presetNames {
      let table = try #require(RuleTable.preset(name, pixelRange: .imageNet))
      #expect(table.name == name)
      #expect(table.pixelRange == .imageNet)
    }
    #expect(RuleTable.preset("epsilon-gamma-box", pixelRange: .imageNet)?.name == "EpsilonGammaBox")
    #expect(RuleTable.preset("epsilon", pixelRange: nil) == nil)
    let (paper, preset) = (RuleTable.paper(pixelRange: nil), RuleTable.default(pixelRange: nil))
    let different = zip(paper.rows, preset.rows).filter { $0.description != $1.description }
    #expect(
      different.map { [$0.description, $1.description] } == [
        [
          "AveragePool|GlobalAveragePool|ReduceMean: even", "AveragePool|GlobalAveragePool|ReduceMean: proportional",
        ]
      ])
  }
}
