import RelevanceKit
import RelevanceTestSupport
import Testing

/// The printed form of plans.
@Suite struct RulePlanTests {
  private static let table = RuleTable.default(pixelRange: SampleNetwork.range)
    .prepending(.init(.name("c"), ZBoxRule(box: .scalar(lower: -2, upper: 2.5))))

  @Test func plansAreTables() throws {
    let plan = try Self.table.resolve(for: SampleNetwork.branched.network())
    #expect(
      plan.description == """
        NODE     OPERATOR            RULE                       ROW
        x        Input               –                          the input
        conv1    Conv                zB                         2: Conv, first
        relu1    Relu                pass                       6: Relu|LRN|BatchNormalization|Dropout
        a        Conv                zPlus                      3: Conv|Gemm
        reluA    Relu                pass                       6: Relu|LRN|BatchNormalization|Dropout
        b        Conv                zPlus                      3: Conv|Gemm
        bn       BatchNormalization  pass                       6: Relu|LRN|BatchNormalization|Dropout
        reluB    Relu                pass                       6: Relu|LRN|BatchNormalization|Dropout
        join     Concat              rearrange                  built in
        c        Conv                zB(lower: -2, upper: 2.5)  1: name c
        reluC    Relu                pass                       6: Relu|LRN|BatchNormalization|Dropout
        sum      Add                 shareBySummand             built in
        gap      GlobalAveragePool   proportional               5: AveragePool|GlobalAveragePool|ReduceMean
        flatten  Flatten             rearrange                  built in
        head     Gemm                zPlus                      3: Conv|Gemm
        """)
  }

  @Test func plansShowShapes() throws {
    let plan = try Self.table.resolve(for: SampleNetwork.pooled.network())
    #expect(
      try plan.description(forInput: [2, 3, 12, 12]) == """
        NODE      OPERATOR           SHAPE      RULE          ROW
        x         Input              2×3×12×12  –             the input
        conv1     Conv               2×6×12×12  zB            2: Conv, first
        relu1     Relu               2×6×12×12  pass          6: Relu|LRN|BatchNormalization|Dropout
        conv2     Conv               2×8×5×5    zPlus         3: Conv|Gemm
        relu2     Relu               2×8×5×5    pass          6: Relu|LRN|BatchNormalization|Dropout
        head      Conv               2×7×5×5    zPlus         3: Conv|Gemm
        reluHead  Relu               2×7×5×5    pass          6: Relu|LRN|BatchNormalization|Dropout
        gap       GlobalAveragePool  2×7×1×1    proportional  5: AveragePool|GlobalAveragePool|ReduceMean
        flatten   Flatten            2×7        rearrange     built in
        """)
    #expect(throws: GraphError.self) { try plan.description(forInput: [2, 4, 12, 12]) }
  }

  /// The reason for a node's rule: the row that matched, and every row above it.
  @Test func reasons() throws {
    let table = RuleTable.of(
      .init(.operators(.conv, position: .first), FlatRule()), .init(.name("b*"), ZRule()),
      .init(.operators(.gemm, position: .last), EpsilonRule()),
      .init(RuleTable.Selector(operators: [.conv], rank: 2), WSquareRule()),
      .init(.operators(.conv, .gemm), ZPlusRule()), .init(.operators(.relu, .batchNormalization), PassRule()),
      .init(.operators(.globalAveragePool), EvenRule()))
    let plan = try table.resolve(for: SampleNetwork.branched.network())
    let reason = { (name: String) in plan.reason(for: plan.network.graph.node(named: name)!) }
    #expect(
      reason("c") == """
        c (Conv): rule zPlus, from row 5: Conv|Gemm
          not row 1: Conv, first: flat: another weighted layer comes before the node
          not row 2: name b*: z: the name does not match the pattern
          not row 3: Gemm, last: epsilon(epsilon: 1e-06): the node is Conv
          not row 4: Conv, rank 2: wSquare: the node's output has 4 axes
        """)
    #expect(reason("conv1") == "conv1 (Conv): rule flat, from row 1: Conv, first")
    #expect(reason("join").hasPrefix("join (Concat): rule rearrange, from a built-in row\n  not row 1: "))
    #expect(reason("x") == "x (Input): no rule, since relevance ends at the input")
  }

  /// Known problems cause warnings, and only where they occur.
  @Test func warnings() throws {
    let network = try SampleNetwork.branched.network()
    let warnings = { (table: RuleTable) in try table.resolve(for: network).warnings }
    #expect(try warnings(.default(pixelRange: SampleNetwork.range)).isEmpty)
    #expect(
      try warnings(.paper(pixelRange: SampleNetwork.range)) == [
        "gap averages whole maps with equal shares: explanations lose position information; rule proportional preserves it"
      ])
    #expect(
      try warnings(.epsilonPlus) == [
        "conv1 receives pixels of both signs under zPlus(bias: absorbed): dark pixels count as much as bright pixels with "
          + "the opposite weight; use rule zB, which accounts for the pixel range"
      ])
    let bright = PixelRange(lower: [0, 0, 0], upper: [1, 255, 1])
    #expect(try warnings(.epsilonPlus.with(pixelRange: bright)).isEmpty)
    #expect(
      try warnings(.epsilonGammaBox(pixelRange: SampleNetwork.range)) == [
        "bn normalizes the output of b (rule generalizedGamma(gamma: 0.25)), but is bypassed: the rule divides by an "
          + "output that the network never uses; fold batch normalization into the weights first"
      ])
    let folded = try network.foldingBatchNormalization()
    #expect(try RuleTable.epsilonGammaBox(pixelRange: SampleNetwork.range).resolve(for: folded).warnings.isEmpty)
  }

  /// The warnings of custom rules follow those of the package's rules, one by one or once for several nodes.
  @Test func warningsOfCustomRules() throws {
    struct Talking: ContributionRule {
      let description = "talking"
      func contributions(at site: RuleSite) -> [Contributions] {
        [Contributions([Term(.operand, .all)], stabilizer: .signed(0))]
      }
      func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] {
        let end = plan.network.graph[plan.network.logits].name
        return (site.isFirst ? [RuleWarning("\(site.node.name) is first on the way to \(end)")] : [])
          + [RuleWarning("\(site.node.name) has \(self)", ", which misleads", oncePer: "\(site.kind)")]
      }
    }
    let network = try SampleNetwork.branched.network()
    let table = RuleTable.of(.init(.operators(.conv), Talking())).prepending(
      .init(.operators(.globalAveragePool), EvenRule()))
    let plan = try RuleTable(name: "talking", pixelRange: SampleNetwork.range) {
      table
      RuleTable.default(pixelRange: nil)
    }.resolve(for: network)
    let convolutions = plan.assignments.filter { $0.rule is Talking }.map(\.site.node.name)
    #expect(convolutions.count > 2)
    let logits = network.graph[network.logits].name
    #expect(
      plan.warnings == [
        "gap averages whole maps with equal shares: explanations lose position information; rule proportional preserves it",
        "bn normalizes the output of b (rule talking), but is bypassed: the rule divides by an output that the network "
          + "never uses; fold batch normalization into the weights first",
        "\(convolutions[0]) is first on the way to \(logits)",
        "\(convolutions[0]) has talking (and \(convolutions.count - 1) more like it), which misleads",
      ])
  }

  /// Nodes after the logits, and nodes that are not on a path from the input, have no rule.
  @Test func nodesThatRelevanceDoesNotReach() throws {
    var builder = GraphBuilder(item: [4])
    builder.add("head", .seededLinear(inputs: 4, outputs: 3, seed: 1))
    builder.add("probabilities", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    let network = try builder.network()
    let plan = try RuleTable.of(.init(.operators(.gemm), ZPlusRule())).resolve(for: network)
    #expect(plan.assignments.map(\.site.node.name) == ["head"])
    #expect(plan[network.graph.output] == nil)
    #expect(
      plan.description == """
        NODE           OPERATOR  RULE   ROW
        x              Input     –      the input
        head           Gemm      zPlus  1: Gemm
        probabilities  Softmax   –      no relevance arrives
        """)
  }

  @Test(arguments: [
    (RuleTable.Selector(), "any"), (.operators(.gemm, .conv), "Conv|Gemm"),
    (.operators(.conv, position: .first), "Conv, first"),
    (.name("a*"), "name a*"), (RuleTable.Selector(position: .last), "last"),
    (RuleTable.Selector(operators: [.relu], name: "b?", position: .last), "Relu, name b?, last"),
  ])
  func selectorsReadAsConditions(selector: RuleTable.Selector, text: String) {
    #expect(selector.description == text)
    #expect(RuleTable.Row(selector, PassRule()).description == "\(text): pass")
  }
}
