import RelevanceKit
import RelevanceTestSupport
import Testing

/// One rule on one layer: on layers defined in code, with numbers calculated by hand, and in networks, where an
/// experiment is one step of the backward pass.
@Suite struct RuleLabTests {
  /// y = (1·2 − 1·1 + 1, 2·2 + ½·1) = (2, 4½)
  private static func handLayer() throws -> RuleLab {
    let linear = Linear(
      weight: Tensor(shape: [2, 2], elements: [1, -1, 2, 0.5]), bias: Tensor(shape: [2], elements: [1, 0]))
    return try RuleLab(layer: .linear(linear), operand: Tensor(shape: [1, 2], elements: [2, 1]))
  }

  private static func near(_ a: Double, _ b: Double) -> Bool {
    abs(a - b) <= Tolerance.singlePrecision * max(1, abs(b))
  }

  @Test func rulesSideBySide() throws {
    let seed = RuleLab.Seed.tensor(Tensor(shape: [1, 2], elements: [2, 9]))
    let seen = try Self.handLayer().experiment(
      [ZRule(), EpsilonRule(epsilon: 0.5), ZPlusRule()], at: "layer", seed: seed)
    #expect(seen.map(\.rule) == ["z", "epsilon(epsilon: 0.5)", "zPlus"])
    #expect(seen.allSatisfy { $0.operand == "operand" && $0.relevance.shape == [1, 2] })
    // z: shares 2, −1 and a bias of 1 in the first output, 8 and 1 in the second. ε divides by 2½ and 5.
    let expected: [(relevance: [Double], bias: Double, stabilizer: Double)] = [
      ([10, 0], 1, 0), ([1.6 + 7.2, -0.8 + 0.9], 0.8, 0.4 + 0.9), ([10, 1], 0, 0),
    ]
    for (found, expected) in zip(seen, expected) {
      #expect(found.relevance.largestDifference(from: expected.relevance) <= Tolerance.singlePrecision, "\(found.rule)")
      #expect(Self.near(found.sum, expected.relevance.reduce(0, +)))
      #expect(found.ledger.node == "layer" && found.ledger.rule == found.rule && found.ledger.kind == .gemm)
      #expect(Self.near(found.ledger.relevanceIn, 11) && Self.near(found.ledger.relevanceOut, found.sum))
      #expect(Self.near(found.ledger.losses[.bias] ?? 0, expected.bias))
      #expect(Self.near(found.ledger.losses[.stabilizer] ?? 0, expected.stabilizer))
    }
    #expect(Self.near(seen[0].giniCoefficient, 0.5))
    // From (10, 0) to (10, 1).
    let difference = seen[2].compared(with: seen[0])
    #expect(Self.near(difference.distance, 0.1))
    #expect(Self.near(difference.cosine, 10 / 101.0.squareRoot()))
    let same = seen[1].compared(with: seen[1])
    #expect(same.distance == 0 && Self.near(same.cosine, 1))
  }

  @Test func negativeSharesAndConcentration() throws {
    let seed = RuleLab.Seed.tensor(Tensor(shape: [1, 2], elements: [2, 0]))
    let seen = try Self.handLayer().experiment([ZRule(), ZPlusRule()], at: "layer", seed: seed)
    #expect(seen[0].relevance.elements == [2, -1])
    #expect(Self.near(seen[0].negativeShare, 1 / 3.0))
    #expect(Self.near(seen[0].giniCoefficient, 1 / 6.0))
    #expect(seen[1].negativeShare == 0)
    let nothing = try Self.handLayer().experiment(
      [ZRule()], at: "layer", seed: .tensor(Tensor(shape: [1, 2])))[0]
    #expect(nothing.sum == 0 && nothing.negativeShare == 0 && nothing.giniCoefficient == 0)
    let difference = seen[0].compared(with: nothing)
    #expect(difference.cosine == 0 && difference.distance == .infinity)
  }

  /// (x − l)·w⁺ + (x − h)·w⁻ with x = 1: 1·2·(1 + 1) and 3·(1 − 3)·−1 … for a box from −1 to 3.
  @Test func boxes() throws {
    let linear = Linear(weight: Tensor(shape: [1, 2], elements: [2, -3]), bias: nil)
    let x = Tensor(shape: [1, 2], elements: [1, 1])
    let seed = RuleLab.Seed.tensor(Tensor(shape: [1, 1], elements: [10]))
    let box = ZBoxRule(box: .scalar(lower: -1, upper: 3))
    let bare = try RuleLab(layer: .linear(linear), operand: x)
    let expected: [Double] = [4, 6]
    let found = try bare.experiment([box], at: "layer", seed: seed)[0]
    #expect(found.relevance.largestDifference(from: expected) <= Tolerance.singlePrecision)
    // Without a box, the range of the operand is unknown unless it is given.
    let error = #expect(throws: RuleLabError.self) { try bare.experiment([ZBoxRule()], at: "layer", seed: seed) }
    #expect(error?.description.hasPrefix("rule zB cannot be used at node layer: the range of its input, ") == true)
    let ranged = try RuleLab(
      layer: .linear(linear), operand: x, operandRange: PixelRange(lower: [-1, -1], upper: [3, 3]))
    #expect(try ranged.experiment([ZBoxRule()], at: "layer", seed: seed)[0].relevance == found.relevance)
  }

  /// An identity layer returns the seed: the selected activations, and zeros elsewhere.
  @Test func seeds() throws {
    let identity = Convolution(
      weight: Tensor(shape: [2, 2, 1, 1], elements: [1, 0, 0, 1]), bias: nil, window: try Window(kernel: [1, 1]),
      groups: 1)
    let x = Tensor(
      shape: [2, 2, 2, 3],
      elements: [1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11, 12] + [5, 5, 1, 1, 1, 1, -7, -8, -9, -3, -4, -5])
    let lab = try RuleLab(layer: .convolution(identity), operand: x)
    func found(_ seed: RuleLab.Seed) throws -> [Float] {
      try lab.experiment([ZRule()], at: "layer", seed: seed)[0].relevance.elements
    }
    func only(_ places: Int...) -> [Float] { x.elements.enumerated().map { places.contains($0) ? $1 : 0 } }
    #expect(try found(.tensor(x)) == x.elements)
    #expect(try found(.channel(1)) == only(6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23))
    #expect(try found(.unit(channel: 0, position: [1, 2])) == only(5, 17))
    #expect(try found(.unit(channel: 0)) == only(5, 12))
    #expect(try found(.unit(channel: 1)) == only(11, 21))
    #expect(try lab.largestPosition(inChannel: 1, at: "layer") == [1, 2])
    #expect(try found(.relevance(of: .class(1, at: [0, 1]))) == only(7, 19))
  }

  /// With the table's own rule, an experiment equals the next step of the backward pass and matches the ledger.
  @Test(arguments: SampleNetwork.allCases, [.lrp, .clrp1] as [any AttributionMethod])
  func tableRuleMatchesTheBackwardPass(
    sample: SampleNetwork, method: any AttributionMethod
  ) throws {
    let input = SampleNetwork.input(batch: 2)
    let trace = try sample.explainer().trace(input)
    let explanation = try trace.explain(.class(3), by: method)
    let walk = try Walk(sample.network(), input)
    var seed = Tensor(shape: trace.logits.shape)
    for item in 0..<2 {
      let score = trace.logits[item, 3]
      for other in 0..<trace.classes {
        seed[item, other] = other == 3 ? score : method is CLRP1 ? -score / Float(trace.classes - 1) : 0
      }
    }
    let graph = walk.network.graph
    let lab = RuleLab(trace)
    var compared = 0
    for assignment in trace.plan.assignments {
      let node = assignment.site.node
      let found = try lab.experiment([assignment.rule], at: node.name, seed: .relevance(of: .class(3), by: method))[0]
      let booked = try #require(explanation.ledger.first { $0.node == node.name })
      let tolerance = Tolerance.conservation * booked.magnitudeIn
      #expect(abs(found.ledger.relevanceIn - booked.relevanceIn) <= tolerance, "\(node.name)")
      #expect(abs(found.ledger.relevanceOut - booked.relevanceOut) <= tolerance, "\(node.name)")
      // If other nodes use the operand too, the backward pass adds their relevance.
      guard graph.consumers[node.inputs[0].index].count == 1 else { continue }
      let expected = walk.relevance(
        from: graph[walk.network.logits].name, seed.reshaped(to: walk.value(graph[walk.network.logits].name).shape),
        to: graph[node.inputs[0]].name)
      #expect(found.operand == graph[node.inputs[0]].name)
      let distance = found.relevance.relativeDistance(from: expected.reshaped(to: found.relevance.shape))
      #expect(distance <= Tolerance.sameMap, "\(node.name)")
      compared += 1
    }
    #expect(compared >= 5)
  }

  /// A layer in a network matches the layer alone, even if a rectifier after it has cut off the seeded values.
  @Test(arguments: SampleNetwork.allCases) func layersMatchSingleLayers(sample: SampleNetwork) throws {
    let input = SampleNetwork.input()
    let walk = try Walk(sample.network(), input)
    let lab = RuleLab(try sample.explainer().trace(input))
    let rules: [any Rule] = [
      EpsilonRule(epsilon: 0.25), ZPlusRule(), GeneralizedGammaRule(), AlphaBetaRule(bias: .bypassed), FlatRule(),
    ]
    for node in walk.network.graph.nodes where node.operation.isWeighted {
      let operand = walk.value(walk.network.graph[node.inputs[0]].name)
      let values = walk.value(node.name)
      let channels = values.shape[1]
      #expect(walk.plan[walk.node(node.name)]?.site.isRectified != true || values.elements.contains { $0 < 0 })
      let alone = try RuleLab(layer: node.operation, operand: operand)
      for channel in [0, channels - 1] {
        let found = try lab.experiment(rules, at: node.name, seed: .channel(channel))
        let expected = try alone.experiment(rules, at: "layer", seed: .channel(channel))
        for (found, expected) in zip(found, expected) {
          #expect(
            found.relevance.relativeDistance(from: expected.relevance) <= Tolerance.sameMap,
            "\(found.rule) at \(node.name)")
        }
      }
    }
  }

  /// Any rule at any node has a result or an objection. Missing relevance is in the ledger, and the trace is unchanged.
  @Test(arguments: SampleNetwork.allCases) func everyRuleEverywhere(sample: SampleNetwork) throws {
    let trace = try sample.explainer().trace(SampleNetwork.input())
    let before = try trace.explain(.class(2)).relevance.bits
    let lab = RuleLab(trace)
    var experiments = 0
    for site in trace.plan.assignments.map(\.site) {
      for name in RuleCatalog.standard.names {
        let rule = try RuleCatalog.standard.rule(named: name)
        guard rule.objection(at: site) == nil else {
          let error = #expect(throws: RuleLabError.self) {
            try lab.experiment([rule], at: site.node.name, seed: .channel(0))
          }
          #expect(error?.description.hasPrefix("rule \(rule) cannot be used at node \(site.node.name): ") == true)
          continue
        }
        for seed in [RuleLab.Seed.channel(1), .relevance(of: .class(2), by: .clrp1)] {
          let found = try lab.experiment([rule], at: site.node.name, seed: seed)[0]
          let books = found.ledger.relevanceOut + found.ledger.losses.values.reduce(0, +)
          let scale = found.ledger.magnitudeIn + found.ledger.magnitudeOut
          #expect(
            abs(books - found.ledger.relevanceIn) <= Tolerance.singlePrecision * scale, "\(rule) at \(site.node.name)")
          #expect(found.relevance.elements.allSatisfy { $0.isFinite }, "\(rule) at \(site.node.name)")
          #expect((0...1).contains(found.negativeShare) && (0..<1).contains(found.giniCoefficient))
          experiments += 1
        }
      }
    }
    #expect(experiments > 50)
    #expect(try trace.explain(.class(2)).relevance.bits == before)
  }

  @Test func wrongExperiments() throws {
    let lab = RuleLab(try SampleNetwork.flattened.explainer().trace(SampleNetwork.input()))
    let cases: [(node: String, rule: any Rule, seed: RuleLab.Seed, sentence: String)] = [
      ("conv3", ZRule(), .channel(0), "conv3: the network has no such node; did you mean conv1?"),
      ("nothing like it", ZRule(), .channel(0), "nothing like it: the network has no such node"),
      ("x", ZRule(), .channel(0), "node x is the network's input, which has no rule; expected a node after it"),
      ("pool", ZRule(), .channel(0), "rule z cannot be used at node pool: \(ZRule.layersObjection("MaxPool"))"),
      ("conv2", ZRule(), .channel(8), "node conv2 has no channel 8: its channels are 0 to 7"),
      ("conv2", ZRule(), .unit(channel: -1), "node conv2 has no channel -1: its channels are 0 to 7"),
      (
        "conv2", ZRule(), .unit(channel: 0, position: [3, 4]),
        "node conv2 has no position 3,4: its positions are 0,0 to 3,3"
      ),
      (
        "conv2", ZRule(), .unit(channel: 0, position: [3]), "node conv2 has no position 3: its positions are 0,0 to 3,3"
      ),
      ("fc", ZRule(), .unit(channel: 0, position: [0]), "node fc has no position 0: its channels are single units"),
      (
        "fc", ZRule(), .tensor(Tensor(shape: [20])),
        "the seed at node fc has shape 20; expected 1×20, the shape of its output"
      ),
    ]
    for one in cases {
      let error = #expect(throws: (any Error).self) { try lab.experiment([one.rule], at: one.node, seed: one.seed) }
      let known = try #require(error as? any RelevanceKitError)
      #expect(known.description == one.sentence)
      #expect(known.category == .usage)
    }
    let error = #expect(throws: ExplanationError.self) {
      try lab.experiment([ZRule()], at: "fc", seed: .relevance(of: .class(7)))
    }
    #expect(error?.description == "there is no class 7: the network has classes 0 to 6")
  }

  /// A branch that does not depend on the input receives no relevance.
  @Test func nodesWithoutRelevance() throws {
    var builder = GraphBuilder(item: [2])
    let gate = builder.constant("constant", Tensor(shape: [1, 2], elements: [1, -1]))
    let rectified = builder.add("side", .relu, gate)
    builder.add("sum", .add, builder.input, rectified)
    let explainer = try Explainer(builder.network(), rules: .default(pixelRange: nil))
    let lab = RuleLab(try explainer.trace(Tensor(shape: [1, 2], elements: [1, 2])))
    let error = #expect(throws: RuleLabError.self) { try lab.experiment([PassRule()], at: "side", seed: .channel(0)) }
    #expect(error?.description == "no relevance arrives at node side under rule table default")
  }

  /// At a gate, the signal is observed, because rules assign relevance to it.
  @Test func operandThatReceivesRelevance() throws {
    var builder = GraphBuilder(item: [2])
    let signal = builder.add("signal", .relu, builder.input)
    let gate = builder.add("gate", .sigmoid, signal)
    builder.add("scale", .multiply, gate, signal)
    let explainer = try Explainer(builder.network(), rules: .default(pixelRange: nil))
    let lab = RuleLab(try explainer.trace(Tensor(shape: [1, 2], elements: [1, 2])))
    let seed = Tensor(shape: [1, 2], elements: [4, 6])
    let seen = try lab.experiment([EqualSharesRule(), SignalTakesAllRule()], at: "scale", seed: .tensor(seed))
    #expect(seen.map(\.operand) == ["signal", "signal"])
    #expect(seen.map(\.relevance.elements) == [[2, 3], [4, 6]])
    #expect(seen.map(\.sum) == [5, 10] && seen.map(\.ledger.relevanceOut) == [10, 10])
  }

  @Test func layersThatDoNotFitTheirOperand() {
    #expect(throws: GraphError.self) {
      try RuleLab(
        layer: .linear(Linear(weight: Tensor(shape: [2, 3]), bias: nil)), operand: Tensor(shape: [1, 2]))
    }
    #expect(throws: GraphError.self) { try RuleLab(layer: .add, operand: Tensor(shape: [1, 2])) }
  }
}

extension ZRule {
  fileprivate static func layersObjection(_ kind: String) -> String {
    "it applies to \(layers.map(\.name).joined(separator: ", ")), not to \(kind)"
  }
}
