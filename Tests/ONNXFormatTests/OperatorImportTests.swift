import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// The import of nodes: attributes, their defaults, and changes between opsets.
@Suite struct OperatorImportTests {
  @Test func convolutionDefaults() throws {
    let model = WireModel.oneNode("Conv", ["w"], initializers: [.floats("w", [1, 2, 3, 3], Self.ramp(18))])
    guard let convolution = try Self.last(model) as? Convolution else { throw Unexpected() }
    #expect(convolution.bias == nil)
    #expect(convolution.groups == 1)
    #expect(try convolution.window == Window(kernel: [3, 3]))
  }

  @Test func convolutionAttributes() throws {
    let model = WireModel.oneNode(
      "Conv", ["w", "b"],
      attributes: [
        ("group", .int(2)), ("pads", .ints([0, 1, 2, 3])), ("strides", .ints([1, 2])), ("dilations", .ints([2, 1])),
        ("kernel_shape", .ints([1, 2])), ("auto_pad", .string("NOTSET")),
      ], initializers: [.floats("w", [2, 1, 1, 2], Self.ramp(4)), .floats("b", [2], Self.ramp(2))])
    guard let convolution = try Self.last(model) as? Convolution else { throw Unexpected() }
    #expect(convolution.groups == 2)
    #expect(convolution.bias?.elements == [0, 1])
    let window = try Window(
      kernel: [1, 2], strides: [1, 2], dilations: [2, 1], padding: .explicit(before: [0, 1], after: [2, 3]))
    #expect(convolution.window == window)
  }

  @Test func oneDimensionalConvolution() throws {
    let model = WireModel.oneNode(
      "Conv", ["w", ""], initializers: [.floats("w", [1, 2, 3], Self.ramp(6))], input: [1, 2, 8])
    guard let convolution = try Self.last(model) as? Convolution else { throw Unexpected() }
    #expect(try convolution.window == Window(kernel: [3]))
  }

  @Test(arguments: [("SAME_UPPER", Padding.sameUpper), ("SAME_LOWER", .sameLower)])
  func automaticPadding(name: String, padding: Padding) throws {
    let model = WireModel.oneNode(
      "MaxPool", attributes: [("kernel_shape", .ints([2, 2])), ("auto_pad", .string(name))])
    guard let window = (try Self.last(model) as? MaxPool)?.window else { throw Unexpected() }
    #expect(window.padding == padding)
  }

  @Test func averagePoolFlags() throws {
    let model = WireModel.oneNode(
      "AveragePool", opset: 19,
      attributes: [("kernel_shape", .ints([2, 2])), ("ceil_mode", .int(1)), ("count_include_pad", .int(1))])
    guard let pool = try Self.last(model) as? AveragePool else { throw Unexpected() }
    #expect(pool.countsPadding)
    #expect(pool.window.ceilMode)
  }

  @Test func gemmFoldsItsFactors() throws {
    let b = WireTensor.floats("b", [2, 3], [1, 2, 3, 4, 5, 6])
    let c = WireTensor.floats("c", [1], [10])
    let factors = [("alpha", WireAttribute.float(2)), ("beta", .float(0.5))]
    let model = WireModel.oneNode("Gemm", ["b", "c"], attributes: factors, initializers: [b, c], input: [1, 2])
    guard let linear = try Self.last(model) as? Linear else { throw Unexpected() }
    #expect(linear.weight == Tensor(shape: [3, 2], elements: [2, 8, 4, 10, 6, 12]))
    #expect(linear.bias == Tensor(shape: [3], elements: [5, 5, 5]))
  }

  @Test func matrixProductIsLinear() throws {
    let b = WireTensor.floats("b", [2, 3], [1, 2, 3, 4, 5, 6])
    guard let linear = try Self.last(.oneNode("MatMul", ["b"], initializers: [b], input: [5, 2])) as? Linear else {
      throw Unexpected()
    }
    #expect(linear.weight == Tensor(shape: [3, 2], elements: [1, 4, 2, 5, 3, 6]))
    #expect(linear.bias == nil)
  }

  @Test(arguments: [
    (7, [], 1, true), (12, [("axis", WireAttribute.int(2))], 2, true), (13, [], -1, false),
    (13, [("axis", .int(1))], 1, false),
  ])
  func softmaxByOpset(opset: Int, attributes: [(String, WireAttribute)], axis: Int, joins: Bool) throws {
    guard let softmax = try Self.last(.oneNode("Softmax", opset: opset, attributes: attributes)) as? Softmax else {
      throw Unexpected()
    }
    #expect(softmax == Softmax(axis: axis, joinsTrailingAxes: joins))
  }

  @Test func axesAreAttributesAndLaterInputs() throws {
    let axes = [WireTensor.integers("axes", [-1, 2])]
    let attribute = [("axes", WireAttribute.ints([-1, 2]))]
    for model in [
      WireModel.oneNode("ReduceMean", opset: 13, attributes: attribute),
      .oneNode("ReduceMean", ["axes"], opset: 18, initializers: axes),
    ] {
      guard let mean = try Self.last(model) as? Reduction else { throw Unexpected() }
      #expect(mean == .mean(axes: [3, 2], keepsAxes: true))
      #expect(mean.kind == .globalAveragePool)
    }
    for model in [
      WireModel.oneNode("Squeeze", opset: 11, attributes: attribute, input: [2, 3, 1, 1]),
      .oneNode("Squeeze", ["axes"], opset: 13, initializers: axes, input: [2, 3, 1, 1]),
    ] {
      guard let squeeze = try Self.last(model) as? Squeeze else { throw Unexpected() }
      #expect(squeeze.axes == [3, 2])
    }
    for model in [
      WireModel.oneNode("Unsqueeze", opset: 11, attributes: attribute, input: [2, 3]),
      .oneNode("Unsqueeze", ["axes"], opset: 13, initializers: axes, input: [2, 3]),
    ] {
      guard let unsqueeze = try Self.last(model) as? Unsqueeze else { throw Unexpected() }
      #expect(unsqueeze.axes == [3, 2])
    }
  }

  /// Before opset 21, scales were one per group. ONNX Runtime does not run such models.
  @Test func groupNormalizationByOpset() throws {
    func model(_ numbers: Int, opset: Int) -> WireModel {
      let ones = [Float](repeating: 1, count: numbers)
      return .oneNode(
        "GroupNormalization", ["scale", "bias"], opset: opset, attributes: [("num_groups", .int(2))],
        initializers: [.floats("scale", [numbers], ones), .floats("bias", [numbers], ones)], input: [1, 4, 3, 3])
    }
    for (numbers, opset) in [(2, 18), (4, 21)] {
      guard let found = try Self.last(model(numbers, opset: opset)) as? GroupNormalization else { throw Unexpected() }
      #expect(found.groups == 2)
      #expect(found.scale.count == numbers)
    }
    #expect(throws: ONNXError.self) { try Self.last(model(4, opset: 18)) }
  }

  @Test func aMeanWithoutAxes() throws {
    guard let mean = try Self.last(.oneNode("ReduceMean", opset: 18)) as? Reduction else { throw Unexpected() }
    #expect(mean == .mean(axes: [0, 1, 2, 3], keepsAxes: true))
    let nothing = WireModel.oneNode("ReduceMean", opset: 18, attributes: [("noop_with_empty_axes", .int(1))])
    #expect(try Self.last(nothing) is Identity)
  }

  @Test func symbolicInputs() throws {
    let graph = try ONNXFile(WireModel.oneNode("Relu", input: [-1, 3, -2, 0]).bytes).graph
    guard let input = graph.nodes[0].operation as? Input else { throw Unexpected() }
    #expect(input.shape == SymbolicShape([.symbolic("n1"), .fixed(3), .symbolic("n2"), .symbolic("")]))
  }

  @Test func initializersAmongTheInputsAreNotInputs() throws {
    var model = WireModel.oneNode("Add", ["w"], initializers: [.floats("w", [1], [1])])
    model.inputs.append(("w", [1]))
    let network = try NeuralNetwork(onnx: model.bytes)
    #expect(network.graph.nodes.map(\.name) == ["x", "w", "it"])
  }

  @Test func namesAreMadeUnique() throws {
    let model = WireModel(
      nodes: [
        WireNode(op: "Relu", inputs: ["x"], outputs: ["a"], name: "relu"),
        WireNode(op: "Relu", inputs: ["a"], outputs: ["b"], name: "relu"),
        WireNode(op: "Relu", inputs: ["b"], outputs: ["relu_2"]),
        WireNode(op: "Relu", inputs: ["relu_2"], outputs: ["y"]),
      ])
    #expect(try ONNXFile(model.bytes).graph.nodes.map(\.name) == ["x", "relu", "relu_2", "relu_2_2", "y"])
  }

  @Test func nodesBesideTheFirstOutputAreLeftOut() throws {
    var model = WireModel.oneNode("Relu")
    model.nodes.append(WireNode(op: "ArgMax", inputs: ["y"], outputs: ["best"]))
    model.outputs = ["y", "best"]
    #expect(try ONNXFile(model.bytes).graph.nodes.map(\.name) == ["x", "it"])
  }

  @Test func onlyFirstOutputsAreSupported() {
    let pool = WireNode(
      op: "MaxPool", inputs: ["x"], outputs: ["p", "indices"], name: "pool",
      attributes: [("kernel_shape", .ints([2, 2]))])
    let add = WireNode(op: "Add", inputs: ["p", "indices"], outputs: ["y"])
    let error = #expect(throws: ONNXError.self) { try ONNXFile(WireModel(nodes: [pool, add]).bytes).graph }
    #expect(
      error?.description
        == "model: node y (Add) is not supported: only the first output of pool (MaxPool) is supported")
  }

  @Test func theSecondDomainNameIsTheSame() throws {
    var model = WireModel.oneNode("Relu")
    model.nodes[0].domain = "ai.onnx"
    #expect(try ONNXFile(model.bytes).graph.nodes.count == 2)
  }

  static func ramp(_ count: Int) -> [Float] { (0..<count).map(Float.init) }

  /// The operator of the last node in the model's graph.
  static func last(_ model: WireModel) throws -> any RelevanceNetworks.Operator {
    try ONNXFile(model.bytes).graph.nodes.last!.operation
  }

  struct Unexpected: Error {}
}
