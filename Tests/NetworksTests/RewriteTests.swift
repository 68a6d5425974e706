import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rewrites preserve the function of a graph and the names that users know.
@Suite struct RewriteTests {
  static let x = Seeded.tensor([2, 4, 5, 6], seed: 1)

  private func names(_ builder: GraphBuilder) throws -> [String] { try builder.network().graph.nodes.map(\.name) }

  /// Compares the network's output with that of an equivalent graph with operators that no rewrite changes.
  private func expectSame(_ builder: GraphBuilder, as reference: GraphBuilder) throws {
    let found = try Executor(builder.network()).logits(Self.x)
    let expected = try Executor(reference.network()).logits(Self.x)
    #expect(found.shape == expected.shape)
    guard found.shape == expected.shape else { return }
    #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  @Test func inverseTransposesAreRemoved() throws {
    var builder = GraphBuilder(item: [4, 5, 6])
    builder.add("last", .transpose(order: [0, 2, 3, 1]))
    builder.add("sigmoid", .sigmoid)
    builder.add("relu", .relu)
    builder.add("first", .transpose(order: [0, 3, 1, 2]))
    builder.add("tanh", .tanh)
    #expect(try names(builder) == ["x", "sigmoid", "relu", "tanh"])
    #expect(try builder.network().graph.node(named: "first") == Node.ID(2))
    var reference = GraphBuilder(item: [4, 5, 6])
    reference.add("sigmoid", .sigmoid)
    reference.add("tanh", .tanh)
    try expectSame(builder, as: reference)
  }

  /// `x Φ(x)`, with its factors in some order.
  private static func gelu(_ builder: inout GraphBuilder, halfFirst: Bool, root: Float = 2) -> Node.ID {
    func number(_ name: String, _ value: Float) -> Node.ID {
      builder.constant(name, Tensor(shape: [], elements: [value]))
    }
    let x = builder.input
    let quotient = builder.add("quotient", .divide, x, number("root", root.squareRoot()))
    let erf = builder.add("erf", .erf, quotient)
    let sum = builder.add("sum", .add, erf, number("one", 1))
    let half = number("half", 0.5)
    if halfFirst { return builder.add("gelu", .multiply, builder.add("halved", .multiply, x, half), sum) }
    return builder.add("gelu", .multiply, half, builder.add("product", .multiply, x, sum))
  }

  @Test(arguments: [true, false]) func decomposedGelu(halfFirst: Bool) throws {
    var builder = GraphBuilder(item: [4, 5, 6])
    _ = Self.gelu(&builder, halfFirst: halfFirst)
    builder.add("tanh", .tanh)
    #expect(try names(builder) == ["x", "gelu", "tanh"])
    var reference = GraphBuilder(item: [4, 5, 6])
    reference.add("gelu", .gelu(approximate: false))
    reference.add("tanh", .tanh)
    try expectSame(builder, as: reference)
    // Another function, and one whose intermediate value has another user.
    var other = GraphBuilder(item: [4, 5, 6])
    _ = Self.gelu(&other, halfFirst: halfFirst, root: 2.1)
    #expect(try !other.network().graph.nodes.contains { $0.kind == .gelu })
    var shared = GraphBuilder(item: [4, 5, 6])
    let result = Self.gelu(&shared, halfFirst: halfFirst)
    let erf = try #require(shared.graph().node(named: "erf"))
    shared.add("both", .add, result, erf)
    #expect(try !shared.network().graph.nodes.contains { $0.kind == .gelu })
  }

  @Test(arguments: [true, false], [true, false]) func decomposedNormalization(isCentered: Bool, isShared: Bool) throws {
    let (scale, shift) = (Seeded.tensor([6], seed: 2), Seeded.tensor([6], seed: 3))
    var builder = GraphBuilder(item: [4, 5, 6])
    var x = builder.input
    if isCentered {
      let mean = builder.add("mean", .mean(axes: [-1], keepsAxes: true), x)
      x = builder.add("deviation", .subtract, x, mean)
    }
    let square = builder.add("square", .multiply, x, x)
    let mean = builder.add("mean of squares", .mean(axes: [3], keepsAxes: true), square)
    let epsilon = builder.constant("epsilon", Tensor(shape: [], elements: [1e-2]))
    let variance = builder.add("variance", .add, mean, epsilon)
    let root = builder.add("root", .sqrt, variance)
    let quotient = builder.add("quotient", .divide, x, root)
    let scaled = builder.add("scaled", .multiply, quotient, builder.constant("scale", scale))
    let result = builder.add("shifted", .add, scaled, builder.constant("shift", shift))
    if isShared { builder.add("both", .multiply, result, root) }
    let network = try builder.network()
    #expect(network.graph.nodes.contains { $0.kind == .layerNormalization } == !isShared)
    if isShared { return }
    #expect(network.graph.nodes.map(\.name) == ["x", "shifted"])
    var reference = GraphBuilder(item: [4, 5, 6])
    reference.add(
      "norm",
      .layerNormalization(
        LayerNormalization(axis: -1, scale: scale, shift: shift, epsilon: 1e-2, isCentered: isCentered)))
    try expectSame(builder, as: reference)
  }

  @Test func otherTransposesAreKept() throws {
    var builder = GraphBuilder(item: [4, 5, 6])
    builder.add("once", .transpose(order: [0, 2, 3, 1]))
    builder.add("twice", .transpose(order: [0, 2, 3, 1]))
    #expect(try names(builder) == ["x", "once", "twice"])
    // The transposes are kept if a value between them has another user.
    var shared = GraphBuilder(item: [4, 4, 4])
    shared.add("there", .transpose(order: [0, 2, 3, 1]))
    let relu = shared.add("relu", .relu)
    let back = shared.add("back", .transpose(order: [0, 3, 1, 2]), relu)
    shared.add("sum", .add, relu, back)
    #expect(try names(shared) == ["x", "there", "relu", "back", "sum"])
  }

  @Test func scalingAndShiftingIsNormalization() throws {
    let (scale, shift) = (Seeded.tensor([4, 1, 1], seed: 2), Seeded.tensor([1, 4, 1, 1], seed: 3))
    var builder = GraphBuilder(item: [4, 5, 6])
    let product = builder.add("product", .multiply, builder.constant("scale", scale), builder.input)
    builder.add("sum", .add, product, builder.constant("shift", shift))
    let network = try builder.network()
    #expect(network.graph.nodes.map(\.name) == ["x", "product"])
    #expect(network.graph.nodes[1].operation.kind == .batchNormalization)
    #expect(network.graph.node(named: "sum") == Node.ID(1))
    var reference = GraphBuilder(item: [4, 5, 6])
    // A rectifier with threshold −∞ separates the two.
    let scaled = reference.add("product", .multiply, reference.constant("scale", scale), reference.input)
    let open = reference.add("open", .clip(lowest: -.infinity, highest: .infinity), scaled)
    reference.add("sum", .add, open, reference.constant("shift", shift))
    #expect(try names(reference).count == 6)
    try expectSame(builder, as: reference)
  }

  @Test(arguments: [false, true]) func zerosBeforeAConvolutionArePadding(padsValue: Bool) throws {
    let window: any RelevanceKit.Operator = try .seededConvolution(
      inputs: 4, outputs: 3, kernel: [3, 3], strides: [2, 1], padding: .explicit(before: [1, 0], after: [0, 1]), seed: 5
    )
    let amounts: List = [0, 0, 1, 2, 0, 0, 3, 0]
    func graph(_ between: Bool) -> GraphBuilder {
      var builder = GraphBuilder(item: [4, 5, 6])
      builder.add("pad", .pad(Pad(amounts: amounts, value: padsValue ? 1 : 0)))
      if between { builder.add("open", .clip(lowest: -.infinity, highest: .infinity)) }
      builder.add("conv", window)
      return builder
    }
    // Only padding with zeros can become padding of a convolution.
    #expect(try names(graph(false)) == (padsValue ? ["x", "pad", "conv"] : ["x", "conv"]))
    try expectSame(graph(false), as: graph(true))
  }

  /// As Hugging Face's optimum exports networks: every axis is open.
  @Test func extentsOfFirstLayersAreDeclared() throws {
    func declared(_ open: [String], _ add: (inout [Node]) throws -> Void) throws -> String {
      let shape = SymbolicShape(open.map { .symbolic($0) })
      var nodes = [Node(name: "x", operation: .input(shape), inputs: [])]
      try add(&nodes)
      let graph = try Graph(name: "test", nodes: nodes, output: Node.ID(nodes.count - 1))
      return try NeuralNetwork(graph).inputShape.description
    }
    let convolution = try Convolution.seededConvolution(inputs: 3, outputs: 2, kernel: [3, 3], seed: 1)
    let four = ["n", "c", "h", "w"]
    let first = Node(name: "convolution", operation: convolution, inputs: [Node.ID(0)])
    #expect(try declared(four) { $0.append(first) } == "n×3×h×w")
    let scaled = try declared(four) { nodes in
      nodes.append(Node(name: "mean", operation: .constant(Seeded.tensor([1, 3, 1, 1], seed: 2)), inputs: []))
      nodes.append(Node(name: "shifted", operation: .subtract, inputs: [Node.ID(0), Node.ID(1)]))
      nodes.append(Node(name: "convolution", operation: convolution, inputs: [Node.ID(2)]))
    }
    #expect(scaled == "n×3×h×w")
    let channelsLast = try declared(["n", "h", "w", "c"]) { nodes in
      nodes.append(Node(name: "order", operation: .transpose(order: [0, 3, 1, 2]), inputs: [Node.ID(0)]))
      nodes.append(Node(name: "convolution", operation: convolution, inputs: [Node.ID(1)]))
    }
    #expect(channelsLast == "n×h×w×3")
    let linear = Linear.seededLinear(inputs: 7, outputs: 2, seed: 3)
    #expect(
      try declared(["n", "f"]) { $0.append(Node(name: "linear", operation: linear, inputs: [Node.ID(0)])) } == "n×7")
    // Channels that are added first are not the input's channels.
    let joined = try declared(four) { nodes in
      nodes.append(Node(name: "twice", operation: .concat(axis: 1), inputs: [Node.ID(0), Node.ID(0), Node.ID(0)]))
      nodes.append(Node(name: "convolution", operation: convolution, inputs: [Node.ID(1)]))
    }
    #expect(joined == "n×c×h×w")
  }
}
