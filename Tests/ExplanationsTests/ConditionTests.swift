import RelevanceKit
import RelevanceTestSupport
import Testing

/// Relevance that passes through some channels only.
@Suite struct ConditionTests {
  static let methods: [any AttributionMethod] = MethodCatalog.general.filter { $0.takesConditions }

  /// Whether the map is not simply the relevance that arrives at the input.
  private static func looksElsewhere(_ method: any AttributionMethod) -> Bool {
    method is SmoothGrad || method is IntegratedGradients || method is GradientTimesInput
  }

  /// The maps of a partition of the channels add up to the whole map.
  @Test(arguments: SampleNetwork.allCases, [1, 3])
  func partsAddUpToTheWhole(of network: SampleNetwork, batch: Int) throws {
    let trace = try network.explainer().trace(SampleNetwork.input(batch: batch))
    let parts: [[Condition]] = [[0, 3], [1], [2, 4, 5]].map { [.channels($0, of: "relu1")] }
    for method in Self.methods {
      let whole = try trace.explain(.class(1), by: method).signedRelevance
      let maps = try trace.explain([.class(1)], by: method, throughEach: parts)[0].map(\.signedRelevance)
      let sum = maps[1...].reduce(maps[0]) { $0.combined(with: $1, +) }
      #expect(sum.relativeDistance(from: whole) <= Tolerance.map, "\(method)")
      if method is LRP { #expect(maps.allSatisfy { $0.relativeDistance(from: whole) > 0.01 }) }
    }
  }

  /// The relevance that passes through a channel equals a backward pass that starts there with the channel's relevance.
  @Test(arguments: SampleNetwork.allCases, [1, 2])
  func conditionsMatchPassesFromChannels(of network: SampleNetwork, batch: Int) throws {
    let trace = try network.explainer().trace(SampleNetwork.input(batch: batch))
    for node in ["relu1", "conv1"] {
      for method in Self.methods where !Self.looksElsewhere(method) {
        let arrived = try trace.relevance(of: .class(2), at: node, by: method)
        let channel = arrived.shape[2] * arrived.shape[3]
        let masked = Tensor(
          shape: arrived.shape,
          elements: arrived.elements.enumerated().map { [1, 4].contains($0 / channel % 6) ? $1 : 0 })
        #expect(
          try trace.relevance(of: .class(2), at: node, by: method, through: [.channels([1, 4], of: node)]) == masked)
        guard let propagated = try? trace.propagate(masked, from: node, by: method.table) else { continue }
        let found = try trace.explain(.class(2), by: method, through: [.channels([4, 1], of: node)])
        #expect(
          found.signedRelevance.relativeDistance(from: propagated.values) <= Tolerance.map, "\(method) at \(node)")
        #expect(found.conditions == [.channels([1, 4], of: node)])
      }
    }
  }

  /// Targets that are explained in one pass have the same bits as alone.
  @Test(arguments: SampleNetwork.allCases, [false, true])
  func manyConditionsMatchSingleOnes(of network: SampleNetwork, exclusive: Bool) throws {
    let trace = try network.explainer().trace(SampleNetwork.input(batch: 2))
    let sets: [[Condition]] = [
      [], [.channel(2, of: "relu1")], [.channels([0, 5], of: "conv1")],
      [.channels([0, 1, 2], of: "relu1"), .channels([2, 3], of: "conv1")],
    ]
    for method in [.lrp, .clrp1, .clrp2, .gradient] as [any AttributionMethod] {
      let all = try trace.explain([.class(0), .class(3)], by: method, throughEach: sets, exclusive: exclusive)
      for (target, found) in zip([Target.class(0), .class(3)], all) {
        for (set, found) in zip(sets, found) {
          let alone = try trace.explain(target, by: method, through: set, exclusive: exclusive)
          #expect(found.signedRelevance.relativeDistance(from: alone.signedRelevance) <= Tolerance.map)
          #expect(found.ledger.map(\.node) == alone.ledger.map(\.node), "\(method) \(set)")
          #expect(found.target == target && found.conditions == set)
        }
      }
    }
  }

  /// A residual sum: relevance beside the conditioned branch counts only if conditions are not exclusive.
  @Test(arguments: [1, 2]) func parallelBranchesAreExcluded(batch: Int) throws {
    var builder = GraphBuilder(item: [3, 8, 8])
    let stem = builder.add("stem", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    let branch = builder.add("branch", try .seededConvolution(inputs: 4, outputs: 4, kernel: [1, 1], seed: 2), stem)
    let other = builder.add("other", try .seededConvolution(inputs: 4, outputs: 4, kernel: [1, 1], seed: 3), stem)
    let joined = builder.add("sum", .add, branch, other)
    builder.add("gap", .mean(axes: [2, 3], keepsAxes: false), joined)
    builder.add("fc", .seededLinear(inputs: 4, outputs: 3, seed: 4))
    let trace = try Explainer(builder.network()).trace(Seeded.tensor([batch, 3, 8, 8], seed: 5))
    func map(_ conditions: [Condition], exclusive: Bool = true) throws -> Tensor {
      try trace.explain(.class(1), through: conditions, exclusive: exclusive).signedRelevance
    }
    let whole = try map([])
    let own = try map([.channels([0, 2], of: "branch")])
    let rest = try map([.channels([1, 3], of: "branch")])
    let beside = try map([.channels(0..<4, of: "other")])
    func sum(_ maps: Tensor...) -> Tensor { maps[1...].reduce(maps[0]) { $0.combined(with: $1, +) } }
    #expect(sum(own, rest, beside).relativeDistance(from: whole) <= Tolerance.map)
    #expect(
      try map([.channels([0, 2], of: "branch")], exclusive: false).relativeDistance(from: sum(own, beside))
        <= Tolerance.map)
    // Relevance cannot pass through two parallel nodes, unless relevance of other paths counts.
    #expect(throws: ConditionError.sideBySide("branch", "other")) {
      try map([.channels([0], of: "branch"), .channels([0], of: "other")])
    }
    let both = try map([.channels([0, 2], of: "branch"), .channels(0..<4, of: "other")], exclusive: false)
    #expect(both.relativeDistance(from: sum(own, beside)) <= Tolerance.map)
  }

  /// The ledger contains the relevance that conditions removed, and the whole score is accounted for.
  @Test(arguments: SampleNetwork.allCases, [false, true])
  func ledgersContainRemovedRelevance(of network: SampleNetwork, exclusive: Bool) throws {
    let trace = try network.explainer().trace(SampleNetwork.input())
    for conditions in [
      [Condition.channels([1, 2], of: "relu1")], [.channel(0, of: "relu1"), .channel(0, of: "conv1")],
    ] {
      let explanation = try trace.explain(.class(1), through: conditions, exclusive: exclusive)
      let score = Double(explanation.score)
      let known = explanation.signedRelevance.sum() + explanation.ledger.absorbed
      #expect(abs(known - score) <= Tolerance.conservation * abs(score))
      let entry = try #require(explanation.ledger["relu1"])
      let arrived = try trace.relevance(of: .class(1), at: "relu1")
      #expect(abs(entry.relevanceIn - arrived.sum()) <= 1e-5 * max(entry.magnitudeIn, 1e-9))
      let kept = try trace.relevance(of: .class(1), at: "relu1", through: [conditions[0]])
      let removed = try #require(entry.losses[.condition])
      #expect(abs(removed - (arrived.sum() - kept.sum())) <= 1e-5 * entry.magnitudeIn)
    }
    // At the input, no node follows the gate.
    let name = trace.plan.network.graph[trace.plan.network.input].name
    let explanation = try trace.explain(.class(1), through: [.channel(2, of: name)])
    #expect(explanation.signedRelevance.elements[..<288].allSatisfy { $0 == 0 })
    #expect(explanation.signedRelevance.elements[288...].contains { $0 != 0 })
    #expect(explanation.ledger.last?.kind == .input)
    let known = explanation.signedRelevance.sum() + explanation.ledger.absorbed
    #expect(abs(known - Double(explanation.score)) <= Tolerance.conservation * abs(Double(explanation.score)))
  }

  @Test func impossibleConditionsAreErrors() throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    func error(_ conditions: [Condition], _ method: any AttributionMethod = .lrp, _ target: Target = .class(0))
      -> ConditionError?
    {
      #expect(throws: ConditionError.self) { try trace.explain(target, by: method, through: conditions) }
    }
    #expect(error([.channel(6, of: "relu1")]) == .noSuchChannel(6, node: "relu1", channels: 6))
    #expect(error([.channel(0, of: "relu1"), .channel(1, of: "relu1")]) == .twice(node: "relu1"))
    #expect(error([.channel(0, of: "relu1")], .gradCAM) == .notPropagated(method: "grad-cam"))
    let unit = Target.unit(node: "conv1", channel: 0, position: nil)
    #expect(error([.channel(0, of: "relu2")], .lrp, unit) == .beyondTarget(node: "relu2", target: "unit:conv1/0"))
    #expect(throws: (any Error).self) {
      try trace.explain(.class(0), through: [.channel(0, of: "nowhere")])
    }
  }

  @Test(arguments: ["a/3", "a/b/3+7", "/features/Conv/0"]) func textsAreRead(text: String) throws {
    let condition = try #require(Condition(text))
    #expect(condition.description == text)
  }

  @Test(arguments: ["", "a", "/3", "a/", "a/+", "a/1+", "a/-1", "a/x", "a/1,2"]) func otherTextsAreNot(text: String) {
    #expect(Condition(text) == nil)
  }
}

/// The relevance of each channel of a layer.
@Suite struct ChannelRelevanceTests {
  @Test(arguments: SampleNetwork.allCases, [1, 2]) func channelsAreSumsOfMaps(of network: SampleNetwork, batch: Int)
    throws
  {
    let trace = try network.explainer().trace(SampleNetwork.input(batch: batch))
    for method in [.lrp, .clrp2] as [any AttributionMethod] {
      let map = try trace.relevance(of: .class(1), at: "relu1", by: method)
      let values = try trace.activation(at: "relu1")
      let (height, width) = (map.shape[2], map.shape[3])
      for (item, channels) in try trace.channels(of: "relu1", for: .class(1), by: method).enumerated() {
        #expect(channels.map(\.channel).sorted() == Array(0..<6))
        #expect(zip(channels, channels.dropFirst()).allSatisfy { $0.relevance >= $1.relevance })
        let total = channels.reduce(0) { $0 + abs($1.relevance) }
        for found in channels {
          let start = (item * 6 + found.channel) * height * width
          let own = map.elements[start..<start + height * width]
          #expect(abs(found.relevance - own.reduce(0) { $0 + Double($1) }) <= 1e-9)
          #expect(abs(found.share - found.relevance / total) <= 1e-12)
          #expect(found.peak == own.max())
          #expect(own[start + found.position[0] * width + found.position[1]] == found.peak)
          #expect(found.peakActivation == values.elements[start..<start + height * width].max())
        }
      }
    }
  }

  /// The channels of a fully connected layer, and of the tokens of a transformer, whose features are the last axis.
  @Test func channelsAreFeatures() throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    #expect(try trace.channels(of: "fc", for: .class(0))[0].allSatisfy { $0.position.isEmpty })
    let transformer = try Explainer(Model(contentsOf: Fixtures.path("digits/vit")).network)
    let run = try transformer.trace(Seeded.tensor([2, 3, 64, 64], seed: 3))
    let normalization = try #require(
      run.plan.network.graph.nodes.last { $0.operation is LayerNormalization })
    let shape = try run.activation(at: normalization.name).shape
    let channels = try run.channels(of: normalization.name, for: .top(1))[0]
    #expect(channels.count == shape[-1])
    let parts = try run.explain(
      [.top(1)],
      throughEach: [
        [.channels(0..<20, of: normalization.name)], [.channels(20..<shape[-1], of: normalization.name)], [],
      ])[0]
    let sum = parts[0].relevance.combined(with: parts[1].relevance, +)
    #expect(sum.relativeDistance(from: parts[2].relevance) <= Tolerance.map)
  }
}
