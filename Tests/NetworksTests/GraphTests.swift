import RelevanceKit
import RelevanceTestSupport
import Testing

/// Graphs, and the canonical form that networks convert them to.
@Suite struct GraphTests {
  private static func sentence(_ nodes: [Node], output: Int = 0) -> String? {
    do {
      _ = try Graph(name: "test", nodes: nodes, output: Node.ID(output))
      return nil
    } catch { return "\(error)" }
  }

  @Test func nodesFollowTheirOperands() {
    let input = Node(name: "x", operation: .input(SymbolicShape([.fixed(1)])), inputs: [])
    func relu(_ name: String, of operand: Int) -> Node {
      Node(name: name, operation: .relu, inputs: [Node.ID(operand)])
    }
    #expect(Self.sentence([input, relu("a", of: 0)], output: 1) == nil)
    #expect(Self.sentence([input, relu("a", of: 1)]) == "node a uses an output that no earlier node computes")
    #expect(
      Self.sentence([input, relu("a", of: 2), relu("b", of: 0)])
        == "node a uses an output that no earlier node computes")
    #expect(Self.sentence([input, relu("a", of: -1)]) == "node a uses an output that no earlier node computes")
    #expect(Self.sentence([input, relu("x", of: 0)]) == "two nodes are named x; names must be unique")
    #expect(Self.sentence([input], output: 1) == "node output uses an output that no earlier node computes")
  }

  @Test func consumersAreListedOncePerUse() throws {
    var builder = GraphBuilder(item: [2])
    let relu = builder.add("relu", .relu)
    builder.add("double", .add, relu, relu)
    builder.add("sum", .add, builder.input, relu)
    let consumers = try builder.graph().consumers
    #expect(consumers.map { $0.map(\.index) } == [[1, 3], [2, 2, 3], [], []])
  }

  @Test func exactlyOneInputIsRequired() throws {
    let shape = SymbolicShape([.fixed(1)])
    let two = try Graph(
      name: "test",
      nodes: [
        Node(name: "a", operation: .input(shape), inputs: []), Node(name: "b", operation: .input(shape), inputs: []),
        Node(name: "sum", operation: .add, inputs: [Node.ID(0), Node.ID(1)]),
      ], output: Node.ID(2))
    let error = #expect(throws: GraphError.self) { try NeuralNetwork(two) }
    #expect(error?.description == "the graph has 2 inputs (a, b); expected one image")
    let none = try Graph(
      name: "test", nodes: [Node(name: "c", operation: .constant(Tensor(shape: [1])), inputs: [])], output: Node.ID(0))
    #expect(
      #expect(throws: GraphError.self) { try NeuralNetwork(none) }?.description
        == "the graph has no input; expected one image")
  }

  /// Identity and Dropout are removed. Their names then refer to the node before them.
  @Test func identitiesAreRemoved() throws {
    var builder = GraphBuilder(item: [4])
    builder.add("same", .identity)
    builder.add("fc", .seededLinear(inputs: 4, outputs: 3, seed: 1))
    let dropped = builder.add("drop", .dropout)
    builder.add("again", .identity)
    builder.add("relu", .relu, dropped)
    builder.add("end", .dropout)
    let network = try builder.network()
    #expect(network.graph.nodes.map(\.name) == ["x", "fc", "relu"])
    #expect(network.graph.output == Node.ID(2) && network.logits == Node.ID(2))
    let found = ["x", "same", "fc", "drop", "relu", "end"].map { network.graph.node(named: $0)?.index }
    #expect(found == [0, 0, 1, 1, 2, 2])
    #expect(network.graph.node(named: "missing") == nil)
    #expect(network.graph.nodes[2].inputs == [Node.ID(1)])
  }

  /// A matrix product and the bias that is added to it become one layer, with the bias on either side.
  @Test(arguments: [[3], [1, 3], [1, 1, 3]], [false, true]) func biasesAreMerged(extents: [Int], first: Bool) throws {
    let bias = Seeded.tensor(TensorShape(extents), seed: 2)
    var builder = GraphBuilder(item: [4])
    let product = builder.add("product", .seededLinear(inputs: 4, outputs: 3, bias: false, seed: 1))
    let constant = builder.constant("bias", bias)
    builder.add("sum", .add, first ? constant : product, first ? product : constant)
    builder.add("relu", .relu)
    let before = try builder.graph()
    let network = try NeuralNetwork(before)
    let names = network.graph.nodes.map(\.name)
    // With a bias of more axes than the product, the sum would have another shape.
    guard extents.count <= 2 else {
      #expect(names == ["x", "product", "bias", "sum", "relu"])
      return
    }
    #expect(names == ["x", "product", "relu"])
    #expect(network.graph.node(named: "sum") == network.graph.node(named: "product"))
    guard let linear = network.graph.nodes[1].operation as? Linear else { return }
    #expect(linear.bias?.elements == bias.elements)
    let x = Seeded.tensor([2, 4], seed: 3)
    let sums = try Executor(network).logits(x)
    let weight = Seeded.tensor([3, 4], seed: 1).doubles
    let expected = (0..<6).map { index in
      let (item, output) = (index / 3, index % 3)
      let sum = (0..<4).reduce(Double(bias.elements[output])) {
        $0 + weight[output * 4 + $1] * Double(x.elements[item * 4 + $1])
      }
      return max(sum, 0)
    }
    #expect(sums.largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  /// Nothing is merged if the product has other users or a bias, or if the constant is not a bias.
  @Test func otherSumsAreNotBiases() throws {
    func names(_ build: (inout GraphBuilder) -> Void) throws -> [String] {
      var builder = GraphBuilder(item: [4])
      build(&builder)
      return try builder.network().graph.nodes.map(\.name)
    }
    let product = Linear.seededLinear(inputs: 4, outputs: 3, bias: false, seed: 1)
    #expect(
      try names {
        let layer = $0.add("product", product)
        let sum = $0.add("sum", .add, layer, $0.constant("bias", Tensor(shape: [3])))
        $0.add("both", .multiply, sum, layer)
      } == ["x", "product", "bias", "sum", "both"])
    #expect(
      try names {
        let layer = $0.add("product", .seededLinear(inputs: 4, outputs: 3, bias: true, seed: 1))
        $0.add("sum", .add, layer, $0.constant("bias", Tensor(shape: [3])))
      } == ["x", "product", "bias", "sum"])
    for extents in [[1], [3, 1], [2, 3]] {
      #expect(
        try names {
          let layer = $0.add("product", product)
          $0.add("sum", .add, layer, $0.constant("bias", Tensor(shape: TensorShape(extents))))
        } == ["x", "product", "bias", "sum"], "\(extents)")
    }
  }

  @Test func unusedNodesAreRemoved() throws {
    var builder = GraphBuilder(item: [4])
    let relu = builder.add("relu", .relu)
    builder.add("unused", .seededLinear(inputs: 4, outputs: 3, seed: 1))
    _ = builder.constant("lonely", Tensor(shape: [1]))
    builder.add("end", .seededLinear(inputs: 4, outputs: 2, seed: 2), relu)
    #expect(try builder.network().graph.nodes.map(\.name) == ["x", "relu", "end"])
    // The input is kept, even if nothing depends on it.
    var constant = GraphBuilder(item: [4])
    _ = constant.constant("answer", Tensor(shape: [1]))
    #expect(try constant.network().graph.nodes.map(\.name) == ["x", "answer"])
  }

  /// The explained values are the operand of the last softmax. Nodes that only reshape probabilities after it do not
  /// matter.
  @Test(arguments: [
    ([], "head"), (["softmax"], "head"), (["logSoftmax"], "head"), (["softmax", "flatten"], "head"),
    (["softmax", "reshape", "squeeze"], "head"), (["flatten", "softmax"], "0 flatten"), (["flatten"], "0 flatten"),
    (["softmax", "relu"], "1 relu"), (["softmax", "logSoftmax"], "head"), (["softmax", "dropout", "flatten"], "head"),
  ])
  func logitsAreBeforeTheSoftmax(endings: [String], logits: String) throws {
    var builder = GraphBuilder(item: [4])
    builder.add("head", .seededLinear(inputs: 4, outputs: 3, seed: 1))
    let softmax = Softmax(axis: 1, joinsTrailingAxes: false)
    let operations: [String: any RelevanceKit.Operator] = [
      "softmax": .softmax(softmax), "logSoftmax": .logSoftmax(softmax), "flatten": .flatten(axis: 1), "relu": .relu,
      "reshape": .reshape(extents: [0, -1, 1], allowZero: false), "squeeze": .squeeze(axes: [2]), "dropout": .dropout,
    ]
    for (index, ending) in endings.enumerated() { builder.add("\(index) \(ending)", operations[ending]!) }
    let network = try builder.network()
    #expect(network.graph[network.logits].name == logits)
  }

  @Test func inputShapes() throws {
    let declared = SymbolicShape([.symbolic("batch"), .fixed(3), .symbolic("height"), .fixed(5)])
    let network = try NeuralNetwork(
      Graph(
        name: "test", nodes: [Node(name: "x", operation: .input(declared), inputs: [])], output: Node.ID(0)))
    #expect(network.inputShape == declared)
    #expect(network.inputShape.description == "batch×3×height×5")
    #expect(network.exampleInputShape(side: 9) == [1, 3, 9, 5])
  }

  @Test func kindsHaveONNXNames() {
    for kind in OperatorKind.all { #expect(OperatorKind(named: kind.name) == kind) }
    #expect(OperatorKind(named: "MatMul") == .gemm)
    #expect(OperatorKind(named: "conv") == nil)
  }
}
