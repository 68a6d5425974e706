import RelevanceKit
import RelevanceTestSupport
import Testing

/// The values at the nodes of a run: activations, relevance that arrives, and relevance that starts there.
@Suite struct NodeAccessTests {
  @Test(arguments: SampleNetwork.allCases) func relevanceAtANodeMatchesTheLedger(network: SampleNetwork) throws {
    let trace = try network.explainer().trace(SampleNetwork.input())
    for method in [.lrp, .clrp2] as [any AttributionMethod] {
      let explanation = try trace.explain(.class(1), by: method)
      for entry in explanation.ledger where entry.kind != .input {
        let arrived = try trace.relevance(of: .class(1), at: entry.node, by: method)
        #expect(arrived.shape == (try trace.activation(at: entry.node)).shape)
        let scale = max(entry.magnitudeIn, 1e-9)
        #expect(abs(arrived.sum() - entry.relevanceIn) <= 1e-5 * scale, "\(method) at \(entry.node)")
      }
      let input = trace.plan.network.graph[trace.plan.network.input].name
      let map = try trace.relevance(of: .class(1), at: input, by: method)
      #expect(map == explanation.signedRelevance)
    }
  }

  /// Every path passes through `relu1`, so the relevance that arrives there determines the map.
  @Test(arguments: SampleNetwork.allCases, [1, 3]) func passesFromANodeContinue(network: SampleNetwork, batch: Int)
    throws
  {
    let trace = try network.explainer().trace(SampleNetwork.input(batch: batch))
    for method in [.lrp, .gradient, .excitationBackprop] as [any AttributionMethod] {
      let whole = try trace.explain(.class(2), by: method, ledger: true)
      let half = try trace.relevance(of: .class(2), at: "relu1", by: method)
      let map = try trace.propagate(half, from: "relu1", by: method.table)
      #expect(map.values.relativeDistance(from: whole.signedRelevance) <= Tolerance.map, "\(method)")
      #expect(map.ledger.first?.node == "relu1" && map.ledger.last?.node == whole.ledger.last?.node ?? "conv1")
      #expect(try trace.propagate(half, from: "relu1", by: method.table, ledger: false).ledger.isEmpty)
    }
    // The map is linear in the starting relevance.
    let seed = Seeded.tensor([batch, 6, 12, 12], seed: 4)
    let once = try trace.propagate(seed, from: "relu1").values
    let twice = try trace.propagate(seed.map { 2 * $0 }, from: "relu1").values
    #expect(twice.relativeDistance(from: once.map { 2 * $0 }) <= Tolerance.map)
  }

  /// Activations are those of the model file, regardless of signs that a rewrite has moved.
  @Test func activationsMatchTheFile() throws {
    let factors: [Float] = [-1, 2, -3, 4]
    func network(scales: Bool) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [3, 6, 6])
      var last = builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
      if scales {
        let constant = builder.constant("factors", Tensor(shape: [1, 4, 1, 1], elements: factors))
        last = builder.add("scale", .multiply, last, constant)
      }
      builder.add("relu", .relu, last)
      builder.add("gap", .mean(axes: [2, 3], keepsAxes: false))
      builder.add("fc", .seededLinear(inputs: 4, outputs: 3, seed: 2))
      return try builder.network()
    }
    let x = Seeded.tensor([1, 3, 6, 6], seed: 9)
    let trace = try Explainer(network(scales: true)).trace(x)
    #expect(trace.plan.network.graph.nodes.contains { $0.turned != nil })
    func scaled(_ values: Tensor) -> Tensor {
      Tensor(shape: values.shape, elements: values.elements.enumerated().map { $1 * factors[$0 / 16 % 4] })
    }
    // Without the factors, no sign is inverted.
    let convolved = try Explainer(network(scales: false)).trace(x).activation(at: "conv")
    #expect(try trace.activation(at: "conv").relativeDistance(from: convolved) <= 1e-6)
    #expect(try trace.activation(at: "scale").relativeDistance(from: scaled(convolved)) <= 1e-6)
    #expect(try trace.activation(at: "relu").relativeDistance(from: scaled(convolved).map { max(0, $0) }) <= 1e-6)
    #expect(try trace.activation(at: "fc").elements == trace.logits.elements)
    // By the chain rule.
    let slopes = try trace.relevance(of: .class(0), at: "scale", by: .gradient)
    #expect(
      try trace.relevance(of: .class(0), at: "conv", by: .gradient).relativeDistance(from: scaled(slopes)) <= 1e-6)
  }

  @Test(arguments: SampleNetwork.allCases) func otherRulesAndTablesReuseTheRun(network: SampleNetwork) throws {
    let plain = try network.network()
    let base = RuleTable.default(pixelRange: SampleNetwork.range)
    let trace = try Explainer(plain, rules: base).trace(SampleNetwork.input())
    let before = try trace.explain(.class(1)).relevance
    let table = RuleTable(
      name: "other", rows: [RuleTable.Row(.name("conv1"), EpsilonRule(epsilon: 0.1))] + base.rows,
      pixelRange: base.pixelRange)
    let expected = try Explainer(plain, rules: table).trace(SampleNetwork.input())
    for method in [.lrp, CLRP1(), .clrp2, .gradient] as [any AttributionMethod] {
      let wanted = try expected.explain(.class(1), by: method).relevance
      let byRule = try trace.using(EpsilonRule(epsilon: 0.1), at: "conv1").explain(.class(1), by: method).relevance
      let byTable = try trace.using(table).explain(.class(1), by: method).relevance
      #expect(byRule == wanted && byTable.relativeDistance(from: wanted) <= 1e-6, "\(method)")
    }
    #expect(try trace.explain(.class(1)).relevance == before)
    let fitting = try trace.using(EpsilonRule(epsilon: 0.1), at: "conv1").explain(.class(1)).relevance
    #expect(fitting != before)
  }

  @Test func impossibleRequestsAreErrors() throws {
    let trace = try SampleNetwork.branched.explainer().trace(SampleNetwork.input())
    func refusal(_ body: () throws -> Void) -> String {
      (#expect(throws: (any Error).self) { try body() } as? any RelevanceKitError)?.description
        ?? "no RelevanceKitError"
    }
    #expect(refusal { _ = try trace.activation(at: "relu7") }.contains("did you mean relu1"))
    #expect(refusal { _ = try trace.relevance(of: .class(0), at: "nowhere") }.contains("nowhere"))
    #expect(
      refusal { _ = try trace.relevance(of: .class(99), at: "relu1") }
        == "there is no class 99: the network has classes 0 to 6")
    #expect(
      refusal { _ = try trace.propagate(Tensor(shape: [2, 2]), from: "relu1") }
        == "the seed at node relu1 has shape 2×2; expected 1×6×12×12, the shape of its output")
    let infinite = Tensor(shape: [1, 6, 12, 12], repeating: .infinity)
    #expect(refusal { _ = try trace.propagate(infinite, from: "relu1") }.contains("not finite"))
    #expect(refusal { _ = try trace.using(WinnerTakesAllRule(), at: "conv1") }.contains("cannot be used at node conv1"))
    #expect(refusal { _ = try trace.using(GammaRule(gamma: .nan), at: "conv1") }.contains("gamma nan"))
    #expect(refusal { _ = try trace.predictions(ofItem: 1) } == "there is no item 1 in a batch of 1; they count from 0")
    #expect(refusal { _ = try trace.predictions(ofItem: 0, at: [3, 4]) }.contains("no position 3,4"))
    #expect(refusal { _ = try trace.scores(ofItem: -1) }.contains("no item -1"))
  }
}
