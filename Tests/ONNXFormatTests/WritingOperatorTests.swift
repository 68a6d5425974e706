import RelevanceONNXFormat
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Operators of the graph that no fixture contains, written and read again.
@Suite struct WritingOperatorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let item: [Int]
    let build: @Sendable (inout GraphBuilder) throws -> Void

    init(_ name: String, item: [Int] = [4, 6, 6], _ build: @escaping @Sendable (inout GraphBuilder) throws -> Void) {
      testDescription = name
      self.item = item
      self.build = build
    }
  }

  static let functions: [any ElementwiseFunction] = [
    .abs, Ceil(), .clip(lowest: -0.5, highest: 0.5), .clip(lowest: -.infinity, highest: 0.25), .elu(alpha: 0.7), .erf,
    .exp, Floor(), .gelu(approximate: false), .gelu(approximate: true), .hardSigmoid(alpha: 0.3, beta: 0.4), .hardSwish,
    .leakyRelu(alpha: 0.1), .mish, .negate, Round(), .sigmoid, .softplus, .tanh, Selu(alpha: 1.3, gamma: 0.9),
    Swish(alpha: 1.5),
  ]

  static let layers: [Case] = [
    Case("transposed convolution") {
      let window = try Window(kernel: [3, 2], strides: [2, 1], padding: .explicit(before: [1, 0], after: [0, 1]))
      $0.add(
        "it",
        .transposedConvolution(
          TransposedConvolution(
            weight: Seeded.tensor([4, 3, 3, 2], seed: 1), bias: Seeded.tensor([6], seed: 2), window: window,
            outputPadding: [1, 0], groups: 2)))
    },
    Case("layer normalization", item: [5, 300]) {
      $0.add(
        "it",
        .layerNormalization(
          LayerNormalization(
            axis: -1, scale: Seeded.tensor([300], seed: 1), shift: Seeded.tensor([300], seed: 2), epsilon: 1e-6)))
    },
    Case("slope per channel") { $0.add("it", .parametricRelu(slope: Seeded.tensor([4, 1, 1], seed: 1))) },
    Case("linear over three axes", item: [5, 8]) { $0.add("it", .seededLinear(inputs: 8, outputs: 40, seed: 1)) },
    Case("linear without bias over four axes", item: [3, 5, 8]) {
      $0.add("it", .seededLinear(inputs: 8, outputs: 40, bias: false, seed: 1))
    },
    Case("joined softmax") { $0.add("it", .softmax(Softmax(axis: 1, joinsTrailingAxes: true))) },
    Case("joined log softmax over the batch too") {
      $0.add("it", .logSoftmax(Softmax(axis: 0, joinsTrailingAxes: true)))
    },
    Case("dilated average") {
      let window = try Window(kernel: [2, 2], dilations: [2, 2])
      $0.add("it", .averagePool(AveragePool(window: window, countsPadding: false)))
    },
    Case("mean from the end") { $0.add("it", .mean(axes: [-1], keepsAxes: false)) },
    Case("large constant") {
      let constant = $0.constant("c", Seeded.tensor([4, 6, 6], seed: 1))
      $0.add("twice", .multiply, $0.input, $0.add("it", .add, $0.input, constant))
    },
  ]

  static let shapes: [Case] = [
    Case("pads of some axes") { $0.add("it", .pad(Pad(amounts: [1, 0, 2, 1], axes: [2, -1], mode: .reflect))) },
    Case("pads with a value") { $0.add("it", .pad(Pad(amounts: [0, 1, 0, 0, 0, 0, 2, 1], value: -1.5))) },
    Case("wrapping pads") { $0.add("it", .pad(Pad(amounts: [0, 0, 1, 1, 0, 0, 1, 1], mode: .wrap))) },
    Case("slice with a negative step") {
      $0.add("it", .slice(Slice(starts: [-1, 1], ends: [-7, 6], axes: [2, 3], steps: [-2, 1])))
    },
    Case("slice of the first axes") { $0.add("it", .slice(Slice(starts: [0, 1], ends: [9, 3]))) },
    Case("two of three parts") {
      let second = $0.add("second", .part(axis: 3, index: 1, count: 3), $0.input)
      let first = $0.add("first", .part(axis: 3, index: 0, count: 3), $0.input)
      let again = $0.add("again", .part(axis: 3, index: 0, count: 3), $0.input)
      $0.add("it", .concat(axis: 1), second, first, again)
    },
    Case("gather by constants") {
      $0.add("indices", .integers(IntegerTensor([2, 0, -1])))
      $0.add("it", .gather(axis: 1), $0.input, Node.ID(1))
    },
    Case("sums and extremes") {
      let sum = $0.add("sum", .reduce(Reduction(.sum, axes: [1], keepsAxes: true)), $0.input)
      let top = $0.add("top", .reduce(Reduction(.maximum, axes: [2, 3], keepsAxes: true)), $0.input)
      let low = $0.add("low", .reduce(Reduction(.minimum, axes: [-1], keepsAxes: true)), $0.input)
      $0.add("it", .add, $0.add("both", .multiply, sum, top), low)
    },
    Case("nearest by scales") {
      $0.add(
        "it",
        .resize(
          Resize(scales: [1, 1, 2, 1.5], sizes: nil, mode: .nearest, coordinates: .asymmetric, rounding: .floor)))
    },
    Case("linear to sizes") {
      $0.add("shape", .shape(start: 0, end: 2), $0.input)
      $0.add("sides", .integers(IntegerTensor([9, 4])))
      $0.add("sizes", .concat(axis: 0), Node.ID(1), Node.ID(2))
      $0.add(
        "it",
        .resize(
          Resize(scales: nil, sizes: .operand(1), mode: .linear, coordinates: .halfPixel, rounding: .preferFloor)),
        $0.input, Node.ID(3))
    },
    Case("reshape by arithmetic") {
      let shape = $0.add("shape", .shape(start: 0, end: nil), $0.input)
      let wanted = $0.add("wanted", .integers(IntegerTensor([-1, 2, 2, 36])))
      let truths = $0.add("truths", .integers(IntegerTensor([1, 0, 0, 0])))
      let small = $0.add("small", Comparison(.less), wanted, shape)
      let either = $0.add("either", Logic(.and), truths, small)
      let extents = $0.add("extents", Where(), either, shape, wanted)
      $0.add("it", .reshape(extents: .operand(1), allowZero: false), $0.input, extents)
    },
    Case("constants of computed shapes") {
      let shape = $0.add("shape", .shape(start: 1, end: nil), $0.input)
      let ones = $0.add("ones", ConstantOfShape(value: 0.5, kind: .real), shape)
      let larger = $0.add(
        "larger", .expand, $0.add("sum", .add, $0.input, ones), $0.add("whole", .shape(start: 0, end: nil), $0.input))
      $0.add("it", .transpose(order: [0, 2, 3, 1]), larger)
    },
    Case("casts and squeezes") {
      $0.add("real", .cast(.real))
      $0.add("more", .unsqueeze(axes: [1, -1]))
      $0.add("it", .squeeze(axes: [1]))
    },
  ]

  @Test(
    arguments: layers + shapes
      + functions.map { function in
        Case("\(function)") { $0.add("it", function) }
      })
  func computesTheSame(one: Case) throws {
    var builder = GraphBuilder(item: one.item)
    try one.build(&builder)
    let network = try builder.network()
    let scratch = try Fixtures.Scratch()
    let input = Seeded.tensor(TensorShape([2] + one.item), seed: 9)
    let expected = try WritingTests.output(of: network, input)
    for (writer, limit) in [(ONNXWriter(outputName: "result"), 1e-6), (ONNXWriter(halvesWeights: true), 2e-3)] {
      try writer.write(network, to: scratch.path("out.onnx"))
      let found = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
      let names = found.graph.nodes.filter { $0.operation.kind != .constant }.map(\.name)
      #expect(Set(network.graph.nodes.filter { $0.operation.kind != .constant }.map(\.name)).isSubset(of: names))
      let output = try WritingTests.output(of: found, input)
      #expect(output.shape == expected.shape)
      #expect(output.largestDifference(from: expected) <= limit)
    }
    let source = try ONNXFile(contentsOf: scratch.path("out.onnx"), prefersLogits: false)
    #expect(source.graph.outputName == network.graph[network.graph.output].name)
  }

  /// Older opsets count a last window that starts after the input, and their checkers reject the shapes of this window.
  @Test(arguments: [(1, 2, 0, 22), (2, 2, 1, 22), (3, 2, 0, 17), (3, 2, 1, 17), (2, 3, 0, 22)])
  func opsetMatchesCountedWindows(kernel: Int, stride: Int, pad: Int, opset: Int) throws {
    for ceilMode in [true, false] {
      let window = try Window(
        kernel: [kernel, kernel], strides: [stride, stride],
        padding: .explicit(before: [pad, pad], after: [pad, pad]), ceilMode: ceilMode)
      for pool: any RelevanceKit.Operator in [
        .maxPool(window), .averagePool(AveragePool(window: window, countsPadding: false)),
      ] {
        var builder = GraphBuilder(item: [4, 6, 6])
        builder.add("it", pool)
        let scratch = try Fixtures.Scratch()
        let summary = try ONNXWriter().write(builder.network(), to: scratch.path("out.onnx"))
        #expect(summary.opset == (ceilMode ? opset : 17))
      }
    }
  }

  /// ONNX's MaxPool does not accept all integer types that it accepts here.
  @Test func integersArePooledAsRealNumbers() throws {
    var builder = GraphBuilder(item: [1, 3, 3])
    let integers = builder.add("integers", .integers(IntegerTensor(shape: [1, 1, 3, 3], elements: Array(-4...4))))
    let window = try Window(kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]))
    builder.add("real", .cast(.real), builder.add("pool", .maxPool(window), integers))
    builder.add("it", .add, builder.input, Node.ID(3))
    let network = try builder.network()
    let scratch = try Fixtures.Scratch()
    try ONNXWriter().write(network, to: scratch.path("out.onnx"))
    let source = try ONNXFile(contentsOf: scratch.path("out.onnx"), prefersLogits: false)
    #expect(source.nodes.map(\.op) == ["Cast", "MaxPool", "Cast", "Cast", "Add"])
    let input = Seeded.tensor([2, 1, 3, 3], seed: 9)
    #expect(
      try WritingTests.output(of: NeuralNetwork(contentsOf: scratch.path("out.onnx")), input)
        == WritingTests.output(of: network, input))
  }

  /// An even extent that is halved and doubled keeps its value; an odd one does not.
  @Test func extentsEqualAtSomeSizesHaveNoName() throws {
    let image = SymbolicShape([.symbolic("n"), .fixed(4), .symbolic("height"), .symbolic("width")])
    let halves = try Window(kernel: [2, 1], strides: [2, 1])
    let doubles = TransposedConvolution(
      weight: Seeded.tensor([4, 5, 2, 1], seed: 1), bias: nil, window: halves, outputPadding: [0, 0], groups: 1)
    let operations: [any RelevanceKit.Operator] = [
      .input(image), .relu, .maxPool(halves), .transposedConvolution(doubles),
      .mean(axes: [2, 3], keepsAxes: true),
    ]
    let nodes = operations.enumerated().map { index, operation in
      Node(name: "node\(index)", operation: operation, inputs: index == 0 ? [] : [Node.ID(index - 1)])
    }
    let network = try NeuralNetwork(Graph(name: "test", nodes: nodes, output: Node.ID(nodes.count - 1)))
    #expect(
      try OpenExtents(of: network).shapes == [
        image, image,
        SymbolicShape([.symbolic("n"), .fixed(4), .symbolic(""), .symbolic("width")]),
        SymbolicShape([.symbolic("n"), .fixed(5), .symbolic(""), .symbolic("width")]),
        SymbolicShape([.symbolic("n"), .fixed(5), .fixed(1), .fixed(1)]),
      ])
  }

  @Test func foldedNormalizationsComputeTheSame() throws {
    let normalization: @Sendable (Int) -> any RelevanceKit.Operator = { channels in
      .batchNormalization(
        BatchNormalization(
          gamma: Seeded.tensor([channels], seed: 4, low: -1.5, high: 1.5), beta: Seeded.tensor([channels], seed: 5),
          mean: Seeded.tensor([channels], seed: 6), variance: Seeded.tensor([channels], seed: 7, low: 0.5, high: 1.5),
          epsilon: 1e-5))
    }
    var builder = GraphBuilder(item: [4, 6, 6])
    builder.add("conv", try .seededConvolution(inputs: 4, outputs: 6, kernel: [3, 3], groups: 2, bias: false, seed: 1))
    builder.add("bn1", normalization(6))
    builder.add("relu", .relu)
    let up = TransposedConvolution(
      weight: Seeded.tensor([6, 2, 2, 2], seed: 2), bias: Seeded.tensor([4], seed: 3),
      window: try Window(kernel: [2, 2]),
      outputPadding: [0, 0], groups: 2)
    builder.add("up", .transposedConvolution(up))
    builder.add("bn2", normalization(4))
    let shared = builder.add("shared", try .seededConvolution(inputs: 4, outputs: 4, kernel: [1, 1], seed: 8))
    let third = builder.add("bn3", normalization(4), shared)
    builder.add("sum", .add, shared, third)
    builder.add("flatten", .flatten(axis: 1))
    builder.add("fc", .seededLinear(inputs: 100, outputs: 7, seed: 9))
    builder.add("bn4", normalization(7))
    let network = try builder.network()
    let folded = try network.foldingBatchNormalization()
    #expect(
      folded.graph.nodes.map(\.name) == ["x", "conv", "relu", "up", "shared", "bn3", "sum", "flatten", "fc"])
    #expect(folded.graph.node(named: "bn2") == folded.graph.node(named: "up"))
    let input = Seeded.tensor([2, 4, 6, 6], seed: 10)
    let expected = try Executor(network).logits(input)
    #expect(try Executor(folded).logits(input).largestDifference(from: expected) <= Tolerance.singlePrecision)
    // The names are written to the file.
    let scratch = try Fixtures.Scratch()
    try ONNXWriter().write(folded, to: scratch.path("out.onnx"))
    let found = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
    #expect(found.graph.nodes.map(\.aliases) == folded.graph.nodes.map(\.aliases))
  }
}
