import RelevanceKit
import RelevanceTestSupport
import Testing

/// Winograd's transforms compared with im2col in cases where their rounding could do harm.
@Suite struct WinogradTests {
  /// The relative distance of relevance maps. The rounding of F(4×4, 3×3) is about 1e-6 of the largest value.
  static let tolerance = 1e-4

  /// Two 3×3 convolutions with positive biases on a black image with one bright square. In the dark part, units are
  /// active only because of their bias, relevance arrives at them, and their z⁺ denominator is exactly zero.
  private func network(channels: Int) throws -> NeuralNetwork {
    let window = try Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
    func convolution(_ inputs: Int, _ outputs: Int, seed: UInt64) -> Operator {
      .convolution(
        Convolution(
          weight: Seeded.tensor([outputs, inputs, 3, 3], seed: seed), bias: Tensor(shape: [outputs], repeating: 0.5),
          window: window, groups: 1))
    }
    func node(_ name: String, _ operation: Operator, _ inputs: Int...) -> Node {
      Node(name: name, operation: operation, inputs: inputs.map { Node.ID($0) })
    }
    return try NeuralNetwork(
      Graph(
        name: "dark",
        nodes: [
          node("input", .input(SymbolicShape([.fixed(1), .fixed(channels), .fixed(40), .fixed(40)]))),
          node("rectified", .relu, 0),
          node("conv1", convolution(channels, 24, seed: 1), 1),
          node("relu1", .relu, 2),
          node("conv2", convolution(24, 32, seed: 2), 3),
          node("relu2", .relu, 4),
          node("pool", .mean(axes: [2, 3], keepsAxes: false), 5),
        ], output: Node.ID(6)))
  }

  @Test(arguments: [Float(1), 1e4, 1e-4])
  func zeroDenominatorsStayZero(brightness: Float) throws {
    let network = try network(channels: 16)
    var image = Tensor(shape: [1, 16, 40, 40])
    for channel in 0..<16 {
      for y in 18..<25 {
        for x in 18..<25 { image[0, channel, y, x] = brightness * Float(channel % 5 + y % 3 + 1) }
      }
    }
    let table = RuleTable(
      name: "z⁺",
      rows: [
        .init(.operators(.conv), ZPlusRule()), .init(.operators(.relu), PassRule()),
        .init(.operators(.globalAveragePool), ProportionalRule()),
      ])
    func explain(_ algorithm: ConvolutionAlgorithm) throws -> [Explanation] {
      let trace = try Explainer(network, rules: table, convolution: algorithm).trace(image)
      return try [0, 7].map { try trace.explain(.class($0)) }
    }
    for (found, expected) in try zip(explain(.automatic), explain(.im2col)) {
      #expect(found.relevance.relativeDistance(from: expected.relevance) <= Self.tolerance)
      let absorbed = { (explanation: Explanation) in explanation.ledger.map(\.absorbed).reduce(0, +) }
      #expect(abs(absorbed(found) - absorbed(expected)) <= Self.tolerance * Double(abs(expected.score)))
      #expect(absorbed(expected) > 1e-6 * Double(expected.score), "the case must have zero denominators")
    }
  }

  /// Whole networks: the effect of Winograd's rounding on logits and maps, and a check that Winograd is actually used.
  @Test(arguments: ["alexnet-torchscript", "vgg16-torchscript", "googlenet-torchscript", "resnet18-kept"])
  func wholeNetworksHardlyDiffer(name: String) throws {
    let network = try SeededNetwork.load(name)
    let side = network.exampleInputShape(side: 224)[2]
    let input = try Fixtures.tensor("inputs/chelsea-\(side).npy")
    func run(_ algorithm: ConvolutionAlgorithm) throws -> (logits: Tensor, maps: [Tensor]) {
      let explainer = try Explainer(network, rules: .default(pixelRange: .imageNet), convolution: algorithm)
      let trace = try explainer.trace(input)
      let best = Target.class(trace.predictions()[0].classIndex)
      return (
        trace.logits,
        try ([.lrp, .clrp1] as [any AttributionMethod]).map { try trace.explain(best, by: $0).signedRelevance }
      )
    }
    let (expected, found) = (try run(.im2col), try run(.automatic))
    let logits = found.logits.largestDifference(from: expected.logits)
    let maps = zip(found.maps, expected.maps).map { $0.relativeDistance(from: $1) }
    print("Winograd and im2col, \(name): logits \(logits), LRP \(maps[0]), CLRP1 \(maps[1])")
    #expect(logits > 0 && logits <= Tolerance.singlePrecision)
    #expect(maps.allSatisfy { $0 <= Tolerance.map })
  }
}
