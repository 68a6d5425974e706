import RelevanceKit
import RelevanceTestSupport
import Testing

/// Properties of a network's values that follow from its graph.
@Suite struct ValueAnalysisTests {
  static let pixels = PixelRange(lower: [-1, -2, 0], upper: [1, 0.5, 3])

  private static func batchNormalization(_ scale: [Float], _ shift: [Float]) -> any RelevanceKit.Operator {
    let shape: TensorShape = [scale.count]
    return .batchNormalization(
      BatchNormalization(
        gamma: Tensor(shape: shape, elements: scale), beta: Tensor(shape: shape, elements: shift),
        mean: Tensor(shape: shape),
        variance: Tensor(shape: shape, repeating: 1), epsilon: 0))
  }

  @Test func signsFollowFromOperators() throws {
    var builder = GraphBuilder(item: [3, 4, 4])
    let window = try Window(kernel: [2, 2])
    let relu = builder.add("relu", .relu)
    let pool = builder.add("pool", .maxPool(window), relu)
    builder.add("signed pool", .maxPool(window), builder.input)
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 3, kernel: [1, 1], seed: 1), relu)
    builder.add("normalized", Self.batchNormalization([1, 1, 1], [0, 0, 0]), relu)
    let lrn = LocalResponseNormalization(size: 3, alpha: 1, beta: 1, bias: 1)
    builder.add("lrn", .localResponseNormalization(lrn), relu)
    let positive = builder.constant("positive", Tensor(shape: [1], elements: [0]))
    let negative = builder.constant("negative", Tensor(shape: [2], elements: [3, -1]))
    builder.add("sum", .add, relu, positive)
    builder.add("signed sum", .add, relu, builder.input)
    builder.add("product", .multiply, relu, positive)
    builder.add(
      "signed product", .multiply, builder.add("scalar", .mean(axes: [3], keepsAxes: true), relu), negative)
    builder.add("join", .concat(axis: 1), relu, relu)
    builder.add("signed join", .concat(axis: 1), relu, builder.input)
    builder.add("average", .averagePool(AveragePool(window: window, countsPadding: true)), pool)
    builder.add("flat", .flatten(axis: 1), pool)
    builder.add("moved", .transpose(order: nil), pool)
    builder.add("softmax", .softmax(Softmax(axis: 1, joinsTrailingAxes: false)), builder.input)
    builder.add("log", .logSoftmax(Softmax(axis: 1, joinsTrailingAxes: false)), builder.input)
    let nodes = try builder.graph().nodes
    let names = try nodes.map(\.name).filter { name in
      let network = try builder.network(output: name)
      return try network.analysis(forInput: [1, 3, 4, 4]).isNonNegative[network.graph.output.index]
    }
    #expect(
      Set(names) == [
        "relu", "pool", "lrn", "positive", "sum", "product", "scalar", "join", "average", "flat", "moved", "softmax",
      ])
  }

  /// First and last weighted layers in a graph with two branches, one of which has weights only after the fork.
  @Test func positionsOnBranches() throws {
    var builder = GraphBuilder(item: [4])
    func linear(_ seed: UInt64) -> any RelevanceKit.Operator { .seededLinear(inputs: 4, outputs: 4, seed: seed) }
    let stem = builder.add("stem", linear(1))
    let left = builder.add("left", linear(2), stem)
    let right = builder.add("right", linear(3), builder.input)
    let rectified = builder.add("relu", .relu, right)
    let middle = builder.add("middle", .add, left, rectified)
    let head = builder.add("head", linear(4), middle)
    builder.add("aside", linear(5), stem)
    builder.add("end", .add, head, Node.ID(7))
    let network = try builder.network()
    func names(_ ids: Set<Node.ID>) -> [String] { ids.map { network.graph[$0].name }.sorted() }
    let whole = network.outermostWeightedNodes(before: network.logits)
    #expect(names(whole.first) == ["right", "stem"])
    #expect(names(whole.last) == ["aside", "head"])
    let part = network.outermostWeightedNodes(before: middle)
    #expect(names(part.first) == ["right", "stem"])
    #expect(names(part.last) == ["left", "right"])
    #expect(
      network.nodes(reaching: middle).map { network.graph[$0].name } == [
        "x", "stem", "left", "right", "relu", "middle",
      ])
  }

  /// Constants and values that only depend on constants receive no relevance.
  @Test func onlyDependentNodesAreReached() throws {
    var builder = GraphBuilder(item: [4])
    let constant = builder.constant("constant", Tensor(shape: [4]))
    let rectified = builder.add("rectified", .relu, constant)
    builder.add("sum", .add, builder.input, rectified)
    let network = try builder.network()
    #expect(network.nodes(reaching: network.logits).map { network.graph[$0].name } == ["x", "sum"])
  }

  // MARK: Ranges

  /// Checks the interval of the values after some nodes with inputs from the whole pixel range.
  private func expectRange(
    _ build: (inout GraphBuilder) throws -> Void, lower: [Float], upper: [Float], item: [Int] = [3, 2, 2]
  ) throws {
    var builder = GraphBuilder(item: item)
    try build(&builder)
    let network = try builder.network()
    let range = try #require(network.range(of: network.graph.output, pixels: Self.pixels))
    #expect(range.lower.elements == lower)
    #expect(range.upper.elements == upper)
    let axis = item[0] == 3 ? 0 : item.count - 1
    let stride = item[(axis + 1)...].reduce(1, *)
    for seed in 1...20 as ClosedRange<UInt64> {
      let u = Seeded.tensor(TensorShape([1] + item), seed: seed, low: 0)
      // Sometimes the ends themselves.
      let x = Tensor(
        shape: u.shape,
        elements: u.elements.enumerated().map { index, u in
          let channel = index / stride % 3
          let position = seed == 1 ? 0 : seed == 2 ? 1 : u
          return Self.pixels.lower[channel] * (1 - position) + Self.pixels.upper[channel] * position
        })
      let values = try Executor(network).trace(x).value(of: network.graph.output)
      let count = values.count / range.lower.count
      let isLast = range.lower.shape[-1] == range.lower.count
      for (index, value) in values.elements.enumerated() {
        let channel = isLast ? index % range.lower.count : index / count
        #expect(value >= lower[channel] - 1e-5 && value <= upper[channel] + 1e-5)
      }
    }
  }

  @Test func pixelsAndConstants() throws {
    try expectRange({ $0.add("same", .identity) }, lower: Self.pixels.lower, upper: Self.pixels.upper)
    try expectRange(
      { $0.add("scaled", .multiply, $0.input, $0.constant("c", Tensor(shape: [3, 1, 1], elements: [2, -1, 0.5]))) },
      lower: [-2, -0.5, 0], upper: [2, 2, 1.5])
    try expectRange(
      { $0.add("shifted", .add, $0.constant("c", Tensor(shape: [1], elements: [10])), $0.input) }, lower: [9, 8, 10],
      upper: [11, 10.5, 13])
    try expectRange(
      { $0.add("normalized", Self.batchNormalization([1, -2, 3], [0, 1, -1])) }, lower: [-1, 0, -1], upper: [1, 5, 8])
    try expectRange({ $0.add("rectified", .relu) }, lower: [0, 0, 0], upper: [1, 0.5, 3])
  }

  /// One after the other, as graphs apply mean and standard deviation.
  @Test func chains() throws {
    try expectRange(
      {
        let scaled = $0.add(
          "scaled", .multiply, $0.input, $0.constant("a", Tensor(shape: [1, 3, 1, 1], elements: [-1, 1, 2])))
        let shifted = $0.add(
          "shifted", .add, scaled, $0.constant("b", Tensor(shape: [3, 1, 1], elements: [0, 1, -1])))
        $0.add("normalized", Self.batchNormalization([1, -1, 0.5], [0, 0, 1]), shifted)
      }, lower: [-1, -1.5, 0.5], upper: [1, 1, 3.5])
  }

  @Test func channelsLast() throws {
    try expectRange(
      { $0.add("moved", .transpose(order: [0, 3, 1, 2])) }, lower: Self.pixels.lower,
      upper: Self.pixels.upper, item: [2, 2, 3])
    try expectRange(
      { $0.add("scaled", .multiply, $0.input, $0.constant("c", Tensor(shape: [3], elements: [1, -1, 2]))) },
      lower: [-1, -0.5, 0], upper: [1, 2, 6], item: [2, 2, 3])
  }

  @Test func pooling() throws {
    let window = try Window(kernel: [2, 2], padding: .explicit(before: [1, 1], after: [1, 1]))
    try expectRange({ $0.add("largest", .maxPool(window)) }, lower: Self.pixels.lower, upper: Self.pixels.upper)
    try expectRange(
      { $0.add("average", .averagePool(AveragePool(window: window, countsPadding: false))) }, lower: Self.pixels.lower,
      upper: Self.pixels.upper)
    // If padding counts, averages are shifted toward 0.
    try expectRange(
      {
        let shifted = $0.add("shifted", .add, $0.input, $0.constant("c", Tensor(shape: [1], elements: [4])))
        $0.add("average", .averagePool(AveragePool(window: window, countsPadding: true)), shifted)
      }, lower: [0, 0, 0], upper: [5, 4.5, 7])
  }

  /// Weights mix channels, and statistics of the input have no bounds.
  @Test func rangesThatDoNotFollow() throws {
    for build in [
      { $0.add("conv", try .seededConvolution(inputs: 3, outputs: 3, kernel: [1, 1], seed: 1)) },
      { $0.add("reciprocal", .reciprocal) }, { $0.add("root", .sqrt) },
      { $0.add("quotient", .divide, $0.constant("c", Tensor(shape: [1], repeating: 1)), $0.input) },
    ] as [(inout GraphBuilder) throws -> Void] {
      var builder = GraphBuilder(item: [3, 2, 2])
      try build(&builder)
      let network = try builder.network()
      #expect(network.range(of: network.graph.output, pixels: Self.pixels) == nil)
    }
    // An image with another number of channels.
    let gray = try GraphBuilder(item: [1, 2, 2]).network()
    #expect(gray.range(of: gray.input, pixels: Self.pixels) == nil)
    // Unless channels have equal ranges.
    let same = try #require(gray.range(of: gray.input, pixels: PixelRange(lower: [-1, -1, -1], upper: [2, 2, 2])))
    #expect(same.lower.elements == [-1] && same.upper.elements == [2])
  }

  /// By hand: operators that only move elements move their bounds.
  @Test func movedPixels() throws {
    let (l, h) = (Self.pixels.lower, Self.pixels.upper)
    let flip = Slice(starts: [-1], ends: [-4], axes: [1], steps: [-1])
    try expectRange({ $0.add("bgr", .slice(flip)) }, lower: l.reversed(), upper: h.reversed())
    try expectRange(
      { $0.add("part", .part(axis: 1, index: 1, count: 3)) }, lower: [l[1]], upper: [h[1]])
    // Focus: four interleaved parts, joined along channels.
    try expectRange(
      { builder in
        let parts = [[0, 0], [1, 0], [0, 1], [1, 1]].map { start in
          builder.add(
            "part\(start)",
            .slice(Slice(starts: .fixed(start), ends: [99, 99], axes: [2, 3], steps: [2, 2])), builder.input)
        }
        builder.add("focus", .concat(axis: 1), parts[0], parts[1], parts[2], parts[3])
      }, lower: l + l + l + l, upper: h + h + h + h)
    try expectRange({ $0.add("turned", .negate) }, lower: h.map { -$0 }, upper: l.map { -$0 })
    try expectRange(
      { $0.add("cut", .clip(lowest: -0.5, highest: 2)) }, lower: [-0.5, -0.5, 0], upper: [1, 0.5, 2])
    try expectRange({ $0.add("size", .abs) }, lower: [0, 0, 0], upper: [1, 2, 3])
    try expectRange({ $0.add("square", .multiply, $0.input, $0.input) }, lower: [0, 0, 0], upper: [1, 4, 9])
    try expectRange({ $0.add("sum", .add, $0.input, $0.input) }, lower: l.map { 2 * $0 }, upper: h.map { 2 * $0 })
    // Larger maps keep the bounds of each channel.
    let resize = Resize(
      scales: [1, 1, 2, 1.5], sizes: nil, mode: .linear, coordinates: .halfPixel, rounding: .floor)
    try expectRange({ $0.add("larger", .resize(resize)) }, lower: l, upper: h)
    // Space to depth: only the order of positions changes.
    try expectRange(
      {
        $0.add("split", .reshape(extents: [0, 3, 1, 2, 1, 2], allowZero: false))
        $0.add("moved", .transpose(order: [0, 3, 5, 1, 2, 4]))
        $0.add("joined", .reshape(extents: [0, 12, 1, 1], allowZero: false))
      }, lower: l + l + l + l, upper: h + h + h + h)
  }

  /// Bounds for one size of the input hold for other sizes: interpolation between rows that differ, a border of zeros,
  /// all pixels in one row.
  @Test func inputsOfAnySize() throws {
    func network(_ nodes: [Node]) throws -> NeuralNetwork {
      let shape = SymbolicShape([.symbolic("n"), .fixed(3), .symbolic("h"), .symbolic("w")])
      let input = Node(name: "x", operation: .input(shape), inputs: [])
      return try NeuralNetwork(Graph(name: "test", nodes: [input] + nodes, output: Node.ID(nodes.count)))
    }
    let border = Node(
      name: "border", operation: .pad(Pad(amounts: [1, 1, 1, 1], axes: [2, 3], value: -7)), inputs: [Node.ID(0)])
    let bordered = try network([border])
    let range = try #require(bordered.range(of: Node.ID(1), pixels: Self.pixels))
    #expect(
      range.lower.shape == [1, 3, 1, 1] && range.lower.elements == [-7, -7, -7] && range.upper.elements == [1, 0.5, 3])
    let flat = try network([Node(name: "flat", operation: .flatten(axis: 1), inputs: [Node.ID(0)])])
    let all = try #require(flat.range(of: Node.ID(1), pixels: Self.pixels))
    #expect(all.lower.elements == [-2] && all.upper.elements == [3])
    // With a fixed size, the border has its own bounds.
    var builder = GraphBuilder(item: [3, 2, 2])
    builder.add("border", .pad(Pad(amounts: [1, 1, 1, 1], axes: [2, 3], value: -7)))
    let fixed = try #require(try builder.network().range(of: Node.ID(1), pixels: Self.pixels))
    #expect(fixed.lower.shape == [1, 3, 4, 4] && fixed.lower[0, 0, 0, 3] == -7 && fixed.upper[0, 0, 0, 3] == -7)
    #expect(fixed.lower[0, 1, 1, 1] == -2 && fixed.upper[0, 1, 1, 1] == 0.5)
  }

  /// The range of each element, if a constant differs between positions.
  @Test func rangesByElement() throws {
    let constant = Seeded.tensor([3, 2, 2], seed: 1)
    var builder = GraphBuilder(item: [3, 2, 2])
    builder.add("shifted", .add, builder.input, builder.constant("c", constant))
    let network = try builder.network()
    let range = try #require(network.range(of: network.graph.output, pixels: Self.pixels))
    #expect(range.lower.elements == constant.elements.enumerated().map { Self.pixels.lower[$0 / 4] + $1 })
    #expect(range.upper.elements == constant.elements.enumerated().map { Self.pixels.upper[$0 / 4] + $1 })
  }
}
