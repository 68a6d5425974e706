import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks with batch normalization of both signs, kept and folded: maps agree if folding changes no value that a rule
/// uses.
@Suite struct FoldedSignsTests {
  /// Convolutions, each followed by a normalization, in a chain, a residual block and branches.
  private static func network(_ seed: UInt64, biases: Bool) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 9, 9])
    let ones = Padding.explicit(before: [1, 1], after: [1, 1])
    var count: UInt64 = 0
    func block(_ x: Node.ID, _ inputs: Int, _ outputs: Int, rectifies: Bool = true) throws -> Node.ID {
      count += 1
      let layer = builder.add(
        "conv\(count)",
        try .seededConvolution(
          inputs: inputs, outputs: outputs, kernel: [3, 3], padding: ones, bias: biases, seed: seed * 100 + count), x)
      let shape: TensorShape = [outputs]
      let shift = biases ? Seeded.tensor(shape, seed: seed * 100 + count + 50) : Tensor(shape: shape)
      let normalization = BatchNormalization(
        scale: Seeded.tensor(shape, seed: seed * 100 + count + 70, low: -2, high: 2), shift: shift)
      let normalized = builder.add("bn\(count)", .batchNormalization(normalization), layer)
      return rectifies ? builder.add("relu\(count)", .relu, normalized) : normalized
    }
    let stem = try block(builder.input, 3, 6)
    let inner = try block(try block(stem, 6, 6), 6, 6, rectifies: false)
    let sum = builder.add("rectified", .relu, builder.add("sum", .add, stem, inner))
    let joined = builder.add("join", .concat(axis: 1), try block(sum, 6, 4), try block(sum, 6, 5))
    builder.add("pool", .maxPool(try Window(kernel: [3, 3], strides: [2, 2])), joined)
    builder.add("gap", .mean(axes: [2, 3], keepsAxes: false))
    builder.add("fc", .seededLinear(inputs: 9, outputs: 4, bias: biases, seed: seed * 100 + 99))
    return try builder.network()
  }

  private static let range = PixelRange(lower: [-1, -1, -1], upper: [1, 1, 1])

  private func distance(_ network: NeuralNetwork, _ table: RuleTable, _ method: any AttributionMethod = .lrp) throws
    -> Float
  {
    let x = Seeded.tensor([1, 3, 9, 9], seed: 3)
    let maps = try [network, network.foldingBatchNormalization()].map {
      try Explainer($0, rules: table).trace(x).explain(.class(2), by: method).signedRelevance
    }
    return Float(maps[0].relativeDistance(from: maps[1]))
  }

  /// z⁺ bypasses biases and distributes by ratios, so the magnitudes of the scales cancel.
  @Test(arguments: 1...8 as ClosedRange<UInt64>, [.lrp, CLRP1(), CLRP2()] as [any AttributionMethod])
  func zPlusAgreesWithBiases(seed: UInt64, method: any AttributionMethod) throws {
    let network = try Self.network(seed, biases: true)
    #expect(network.graph.nodes.contains { $0.operation.kind == .batchNormalization })
    #expect(try distance(network, .default(pixelRange: Self.range), method) <= 1e-4)
    #expect(try distance(network, .paper(pixelRange: Self.range), method) <= 1e-4)
  }

  /// Whole networks with scales from −0.5 to 2.
  @Test(arguments: ["resnet18-kept", "googlenet-kept"]) func wholeNetworksAgree(name: String) throws {
    let network = try SeededNetwork.load(name)
    let input = try Fixtures.tensor("inputs/chelsea-96.npy")
    let maps = try [network, network.foldingBatchNormalization()].map {
      try Explainer($0, rules: .default(pixelRange: .imageNet)).trace(input).explain(.class(1)).relevance
    }
    #expect(maps[0].relativeDistance(from: maps[1]) <= Tolerance.map)
  }

  /// Without biases, every rule agrees that uses only contributions.
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func otherRulesAgreeWithoutBiases(seed: UInt64) throws {
    let network = try Self.network(seed, biases: false)
    for rule in [ZRule(), GammaRule(gamma: 0.5), GeneralizedGammaRule(), AlphaBetaRule(), ZPlusRule(), FlatRule()]
      as [any Rule]
    {
      let table = RuleTable(name: "test") {
        RuleTable.Row(.operators(.conv), rule)
        RuleTable.default(pixelRange: Self.range)
      }
      #expect(try distance(network, table) <= 1e-4, "\(rule)")
    }
  }

  /// If biases absorb relevance, rule z equals gradient × input except for the shares of biases, regardless of the
  /// affine nodes of the network, such as a normalization of pixels in the graph and nodes after a maximum.
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func zIsGradientTimesInputThroughAffineNodes(seed: UInt64) throws {
    var builder = GraphBuilder(item: [3, 8, 8])
    let mean = builder.constant("mean", Seeded.tensor([3, 1, 1], seed: seed))
    let deviation = builder.constant("deviation", Seeded.tensor([1, 3, 1, 1], seed: seed + 10, low: 0.5, high: 2))
    let centered = builder.add("centered", .subtract, mean, builder.input)
    let scaled = builder.add("scaled", .divide, centered, deviation)
    builder.add(
      "conv1",
      try .seededConvolution(
        inputs: 3, outputs: 5, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), seed: seed + 20),
      scaled)
    builder.add("relu1", .relu)
    builder.add("pool", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])))
    let normalization = BatchNormalization(
      scale: Seeded.tensor([5], seed: seed + 30, low: -2, high: 2), shift: Seeded.tensor([5], seed: seed + 40))
    builder.add("bn", .batchNormalization(normalization))
    builder.add("flatten", .flatten(axis: 1))
    builder.add("fc1", .seededLinear(inputs: 80, outputs: 7, seed: seed + 50))
    builder.add("relu2", .relu)
    builder.add("fc2", .seededLinear(inputs: 7, outputs: 4, seed: seed + 60))
    let network = try builder.network()
    let table = RuleTable(name: "z") {
      RuleTable.Row(.operators(.conv, .gemm), ZRule())
      RuleTable.default(pixelRange: nil)
    }
    let x = Seeded.tensor([1, 3, 8, 8], seed: seed + 70)
    let trace = try Explainer(network, rules: table).trace(x)
    let found = try trace.explain(.class(1)).relevance
    let expected = try trace.explain(.class(1), by: .gradientTimesInput).signedRelevance
    #expect(found.relativeDistance(from: expected) <= 1e-4)
  }
}
