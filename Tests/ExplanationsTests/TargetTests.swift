import RelevanceKit
import RelevanceTestSupport
import Testing

/// Explanations of units, channels and positions of any node.
@Suite struct TargetTests {
  @Test(arguments: [
    (Target.class(340), "class:340"), (.unit(node: "conv5", channel: 13), "unit:conv5/13"),
    (.unit(node: "/layer4/conv2/Conv", channel: 7, position: [6, 0]), "unit:/layer4/conv2/Conv/7@6,0"),
    (.unit(node: "a@b", channel: 0, position: [3]), "unit:a@b/0@3"),
  ])
  func targetsReadBack(target: Target, text: String) {
    #expect(target.description == text)
    #expect(Target(text) == target)
  }

  @Test(arguments: [
    "", "class", "class:", "class:-1", "class:x", "unit:conv", "unit:/3", "unit:conv/", "unit:conv/-1", "unit:conv/1@",
    "unit:conv/1@2,", "unit:conv/1@x", "unit:conv/1@2@3", "zebra",
  ])
  func otherTextsAreNotTargets(text: String) { #expect(Target(text) == nil) }

  private static let network = SampleNetwork.flattened

  /// A unit starts with its activation, and a channel with the activations of all its positions.
  @Test func unitsStartWithTheirActivation() throws {
    let walk = try Walk(Self.network.network(), SampleNetwork.input(batch: 2))
    let trace = try Self.network.explainer().trace(SampleNetwork.input(batch: 2))
    for (node, channel, position) in [
      ("conv2", 3, [1, 2]), ("relu2", 3, [1, 2]), ("relu2", 5, nil), ("pool", 0, nil), ("fc", 7, nil),
      ("relu3", 7, nil),
      ("conv1", 2, [0, 11]),
    ] as [(String, Int, [Int]?)] {
      let values = walk.value(node)
      var seed = Tensor(shape: values.shape)
      var scores: [Float] = []
      for item in 0..<2 {
        if values.shape.rank == 2 {
          seed[item, channel] = values[item, channel]
          scores.append(values[item, channel])
          continue
        }
        var sum: Float = 0
        for y in 0..<values.shape[2] {
          for x in 0..<values.shape[3] where position == nil || position == [y, x] {
            seed[item, channel, y, x] = values[item, channel, y, x]
            sum += values[item, channel, y, x]
          }
        }
        scores.append(sum)
      }
      let found = try trace.explain(.unit(node: node, channel: channel, position: position))
      #expect(zip(found.scores, scores).allSatisfy { abs($0 - $1) <= 1e-5 * abs($1) }, "\(node)")
      #expect(found.relevance.relativeDistance(from: walk.relevance(from: node, seed)) <= Tolerance.sameMap, "\(node)")
    }
  }

  /// Negative values at a rectified layer are explained too; their denominators differ from those that the rectifier
  /// leaves.
  @Test(arguments: ["EpsilonPlus", "EpsilonGammaBox", "default"]) func negativeUnits(preset: String) throws {
    let network = try Self.network.network()
    let table = try #require(RuleTable.preset(preset, pixelRange: SampleNetwork.range))
    let trace = try Explainer(network, rules: table).trace(SampleNetwork.input())
    let walk = try Walk(network, table, SampleNetwork.input())
    let values = walk.value("conv2").doubles
    let index = try #require(values.firstIndex { $0 < -0.1 })
    let found = try trace.explain(.unit(node: "conv2", channel: index / 16, position: [index % 16 / 4, index % 4]))
    #expect(found.score < 0 && found.isUnsupported)
    // A network that ends there has no rectifier to cut off the value.
    let cut = try NeuralNetwork(
      Graph(
        name: "cut", nodes: network.graph.nodes.prefix { $0.name != "relu2" }, output: walk.node("conv2")))
    var seed = Tensor(shape: walk.value("conv2").shape)
    seed[0, index / 16, index % 16 / 4, index % 4] = found.score
    let expected = try Walk(cut, table, SampleNetwork.input()).relevance(from: "conv2", seed)
    #expect(found.relevance.relativeDistance(from: expected) <= Tolerance.map)
    #expect(expected.largestMagnitude() > 0)
  }

  /// Targets at different nodes share one pass. Each has the same result as alone, regardless of the memory budget.
  @Test(arguments: [1 << 30, 40_000, 1]) func mixturesAndGroups(memoryBudget: Int) throws {
    let explainer = try Explainer(
      Self.network.network(), rules: .default(pixelRange: SampleNetwork.range), memoryBudget: memoryBudget)
    let trace = try explainer.trace(SampleNetwork.input(batch: 2))
    let targets: [Target] = [
      .class(3), .unit(node: "relu2", channel: 3), .class(0), .unit(node: "relu2", channel: 1, position: [0, 0]),
      .unit(node: "relu3", channel: 2), .class(3),
    ]
    for method in [.lrp, .clrp2, .gradient, .excitationBackprop] as [any AttributionMethod] {
      let together = try trace.explain(targets, by: method)
      #expect(together.map(\.target) == targets)
      for (target, found) in zip(targets, together) {
        let alone = try trace.explain(target, by: method)
        #expect(found.scores == alone.scores)
        #expect(found.signedRelevance.relativeDistance(from: alone.signedRelevance) <= Tolerance.sameMap, "\(target)")
        #expect(found.ledger.map(\.node) == alone.ledger.map(\.node))
      }
    }
  }

  /// CLRP2 of a hidden unit: the dual explains the unit in a network with negated weights into it, also after a batch
  /// normalization, whose sign the weights include.
  @Test(arguments: [Float(1.5), -1.5]) func clrp2OfUnitsAfterNormalization(scale: Float) throws {
    func network(sign: Float) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [3, 6, 6])
      builder.add("rectified", .relu)
      var weight = Seeded.tensor([4, 3, 3, 3], seed: 1)
      for i in 0..<27 { weight[2, i / 9, i / 3 % 3, i % 3] *= sign }
      builder.add(
        "conv", .convolution(Convolution(weight: weight, bias: nil, window: try Window(kernel: [3, 3]), groups: 1)))
      builder.add(
        "bn",
        .batchNormalization(
          BatchNormalization(
            scale: Tensor(shape: [4], repeating: scale), shift: Tensor(shape: [4], repeating: 1))))
      builder.add("relu", .relu)
      builder.add("flatten", .flatten(axis: 1))
      builder.add("head", .seededLinear(inputs: 64, outputs: 5, seed: 2))
      return try builder.network()
    }
    let table = RuleTable.excitationBackprop
    let x = Seeded.tensor([1, 3, 6, 6], seed: 3)
    let trace = try Explainer(network(sign: 1), rules: table).trace(x)
    let values = try Walk(network(sign: 1), table, x).value("relu")
    let place = try #require((0..<16).first { values[0, 2, $0 / 4, $0 % 4] > 0.1 })
    for position in [[place / 4, place % 4], nil] as [[Int]?] {
      let found = try trace.explain(.unit(node: "relu", channel: 2, position: position), by: .clrp2)
      var seed = Tensor(shape: values.shape)
      for p in 0..<16 where position == nil || position == [p / 4, p % 4] {
        seed[0, 2, p / 4, p % 4] = values[0, 2, p / 4, p % 4]
      }
      let own = try Walk(network(sign: 1), table, x).relevance(from: "relu", seed)
      let negated = try Walk(network(sign: -1), table, x).relevance(from: "relu", seed)
      let expected = own.combined(with: negated, -)
      let largest = max(own.largestMagnitude(), negated.largestMagnitude())
      #expect(expected.largestMagnitude() > 0.01 * largest)
      #expect(
        found.signedRelevance.combined(with: expected, -).largestMagnitude() <= 1e-5 * largest,
        "position \(String(describing: position))")
    }
  }

  /// Before a negative scale, the layer includes its sign, so a unit of the layer does not have the value of its name.
  @Test func unitsBeforeANegativeScale() throws {
    var builder = GraphBuilder(item: [2])
    builder.add("fc1", .linear(Linear(weight: Tensor(shape: [2, 2], elements: [1, -1, 2, 1]), bias: nil)))
    builder.add(
      "bn",
      .batchNormalization(
        BatchNormalization(
          scale: Tensor(shape: [2], elements: [-2, 3]), shift: Tensor(shape: [2], elements: [0, 0]))))
    builder.add("relu", .relu)
    builder.add("fc2", .seededLinear(inputs: 2, outputs: 2, seed: 1))
    let trace = try Explainer(builder.network(), rules: .excitationBackprop)
      .trace(Tensor(shape: [1, 2], elements: [1, 3]))
    let sentence =
      "channel 0 of node fc1 has a negative factor in bn, so its weights are stored with the opposite sign; expected a "
      + "unit of bn or of a node after it"
    func message(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return "\(error)" }
      return nil
    }
    #expect(message { _ = try trace.explain(.unit(node: "fc1", channel: 0)) } == sentence)
    #expect(message { _ = try trace.mostActiveUnits(at: "fc1", count: 2) } == sentence)
    for seed in [RuleLab.Seed.channel(0), .unit(channel: 0)] {
      #expect(message { _ = try RuleLab(trace).experiment([ZPlusRule()], at: "fc1", seed: seed) } == sentence)
    }
    #expect(try trace.explain(.unit(node: "fc1", channel: 1)).score == 5)
    let unit = try trace.explain(.unit(node: "bn", channel: 0))
    #expect(unit.score == 4 && abs(unit.relevance.elements[0]) < 1e-6 && abs(unit.relevance.elements[1] - 4) < 1e-5)
    #expect(try trace.mostActiveUnits(at: "relu", count: 2).map(\.activation) == [15, 4])
  }

  /// Targets that cannot be explained, and the errors.
  @Test func wrongTargets() throws {
    let trace = try Self.network.explainer().trace(SampleNetwork.input())
    for (target, method, sentence) in [
      (.class(7), .lrp, "there is no class 7: the network has classes 0 to 6"),
      (.unit(node: "conv3", channel: 0), .lrp, "conv3: the network has no such node; did you mean conv1?"),
      (.unit(node: "conv2", channel: 8), .lrp, "node conv2 has no channel 8: its output has shape 1×8×4×4"),
      (
        .unit(node: "conv2", channel: 0, position: [4, 0]), .lrp,
        "node conv2 has no position 4,0: its output has shape 1×8×4×4"
      ),
      (.unit(node: "fc", channel: 0, position: [0]), .lrp, "node fc has no position 0: its output has shape 1×20"),
      (
        .unit(node: "x", channel: 0), .lrp,
        "no relevance can reach the input from node x; expected a node between the input and the logits"
      ),
      (
        .unit(node: "fc", channel: 0), .clrp1,
        "clrp1 contrasts a class with the other classes, but a unit has no alternatives; expected a class, or clrp2"
      ),
      (
        .unit(node: "fc", channel: 0), .sglrp,
        "sglrp contrasts a class with the other classes, but a unit has no alternatives; expected a class, or clrp2"
      ),
      (
        .unit(node: "pool", channel: 0), .clrp2,
        "clrp2 negates the weights of the last layer before the target, but node pool (MaxPool) is between them"
      ),
      (
        .class(2), CLRP1(against: .classes([2])),
        "clrp1 contrasts class 2 with itself; expected another class to contrast it with"
      ),
      (.class(0), CLRP1(against: .classes([2, 7])), "there is no class 7: the network has classes 0 to 6"),
      (
        .class(0), GradCAM(layer: "fc"),
        "grad-cam needs a layer with height and width or with image tokens, but the output of node fc has shape 1×20"
      ),
      (.class(0), GradCAM(layer: "conv9"), "conv9: the network has no such node; did you mean conv1?"),
    ] as [(Target, any AttributionMethod, String)] {
      let error = #expect(throws: (any Error).self) { try trace.explain(target, by: method) }
      #expect((error as? any RelevanceKitError)?.description == sentence)
    }
  }
}
