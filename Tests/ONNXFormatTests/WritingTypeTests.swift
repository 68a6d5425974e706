import RelevanceONNXFormat
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Element types, written and read again.
@Suite struct WritingTypeTests {
  /// All chains of casts and arithmetic: the same types at every node, and the same values.
  @Test func chainsKeepTheirTypes() throws {
    let pack = try PackedCases("casts")
    let scratch = try Fixtures.Scratch()
    for test in pack.cases {
      let network = try NeuralNetwork(onnx: pack.model(of: test))
      try ONNXWriter(placement: .inside).write(network, to: scratch.path("out.onnx"))
      let again = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
      #expect(
        try Self.kinds(again).merging(Self.kinds(network)) { _, expected in expected } == Self.kinds(again), "\(test)")
      let input = pack.input(of: test)
      #expect(try WritingTests.output(of: again, input) == WritingTests.output(of: network, input), "\(test)")
    }
  }

  private static func kinds(_ network: NeuralNetwork) throws -> [String: ElementKind] {
    try Dictionary(
      uniqueKeysWithValues: zip(
        network.graph.nodes.map(\.name), network.analysis(forInput: network.fittingInputShape()).inferred.map(\.kind)))
  }

  /// The declared type of an input and the type of integer constants are kept.
  @Test(arguments: IntegerType.allCases) func inputsAndConstantsKeepTheirTypes(type: IntegerType) throws {
    let highest = type == .uint64 ? -1 : type.isSigned ? Int.max >> (64 - type.bitWidth) : (1 << type.bitWidth) - 1
    let constant = IntegerTensor(shape: [1], elements: [highest], kind: .integer(type))
    let nodes = [
      Node(
        name: "x", operation: .input(SymbolicShape([.symbolic("n"), .fixed(3)]), of: .integer(type)), inputs: []),
      Node(name: "c", operation: .integers(constant), inputs: []),
      Node(name: "least", operation: .minimum, inputs: [Node.ID(0), Node.ID(1)]),
      Node(name: "truth", operation: .cast(.truth), inputs: [Node.ID(2)]),
      Node(name: "real", operation: .cast(.real), inputs: [Node.ID(3)]),
    ]
    let network = try NeuralNetwork(Graph(name: "types", nodes: nodes, output: Node.ID(4)))
    let scratch = try Fixtures.Scratch()
    try ONNXWriter().write(network, to: scratch.path("out.onnx"))
    let again = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
    #expect(try Self.kinds(again) == Self.kinds(network))
    guard let id = again.graph.node(named: "c"),
      case .integers(let found)? = (again.graph[id].operation as? Constant)?.value
    else {
      Issue.record("the constant is not there")
      return
    }
    #expect(found == constant)
    let input = Tensor(shape: [1, 3], elements: [0, 1, 2])
    #expect(try WritingTests.output(of: again, input).elements == [0, 1, 1])
  }

  /// Here, functions of integers give real numbers; in ONNX they would give integers.
  @Test func functionsOfIntegersUseRealNumbers() throws {
    var builder = GraphBuilder(input: [1, 4], of: .integer(.uint8))
    builder.add("shrunk", Shrink(bias: 0.5, lambda: 2))
    let network = try builder.network()
    let scratch = try Fixtures.Scratch()
    try ONNXWriter().write(network, to: scratch.path("out.onnx"))
    let again = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
    #expect(again.graph.nodes.map(\.operation.kind) == [.input, .cast, .shrink])
    let input = Tensor(shape: [1, 4], elements: [0, 2, 3, 9])
    #expect(try WritingTests.output(of: again, input) == WritingTests.output(of: network, input))
  }

  /// ONNX's GlobalAveragePool does not accept integers.
  @Test func meansOfIntegersAreReductions() throws {
    var builder = GraphBuilder(item: [2, 2, 2])
    builder.add("integers", .cast(.integer(.int32)))
    builder.add("real", .cast(.real), builder.add("mean", .mean(axes: [2, 3], keepsAxes: true)))
    let scratch = try Fixtures.Scratch()
    try ONNXWriter().write(builder.network(), to: scratch.path("out.onnx"))
    #expect(
      try ONNXFile(contentsOf: scratch.path("out.onnx"), prefersLogits: false).nodes.map(\.op) == [
        "Cast", "ReduceMean", "Cast",
      ])
  }
}
