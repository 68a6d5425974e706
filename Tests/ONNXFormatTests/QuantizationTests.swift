import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import Testing

/// The reasons for which operators on integers are rejected, and quantized constants. `QuantizedNetworkTests` compares
/// values with ONNX Runtime's.
@Suite struct QuantizationTests {
  private static func bytes(_ name: String, _ dims: [Int], _ values: [UInt8], type: Int = 2) -> WireTensor {
    WireTensor(name: name, dims: dims, type: type, raw: values)
  }

  @Test func scalesThatDoNotFit() {
    let scales = WireTensor.floats("s", [2], [0.5, 1])
    expect("2 scales along axis 1 do not fit", initializers: [scales], input: [1, 3, 2, 2])
    expect("0 or not finite", initializers: [.floats("s", [], [0])])
    expect("there are 3 zero points and 2 scales", initializers: [scales, Self.bytes("z", [3], [1, 2, 3])])
  }

  @Test func unsupportedTypes() {
    let scale = WireTensor.floats("s", [], [0.5])
    expect("the zero point has type FLOAT8E4M3FN", initializers: [scale, Self.bytes("z", [], [0], type: 17)])
  }

  @Test func scaleOfTheImage() {
    let node = WireNode(op: "QuantizeLinear", inputs: ["x", "x"], outputs: ["y"], name: "it")
    expect(
      "input scale is computed from the image; expected a constant",
      of: WireModel(opset: 13, nodes: [node], inputs: [("x", [1, 2, 4, 4])]))
  }

  @Test func otherDomains() {
    let node = WireNode(op: "com.example.Conv", inputs: ["x"], outputs: ["y"], name: "it")
    expect("com.example.Conv", of: WireModel(opset: 13, nodes: [node], inputs: [("x", [1, 2, 4, 4])]))
  }

  /// A byte contains two elements of 4 bits, the first in its low bits. An odd number of elements leaves bits unused.
  @Test(arguments: [(21, [15, 1, 8] as [Float]), (22, [-1, 1, -8])])
  func elementsOfFourBits(type: Int, values: [Float]) throws {
    let nodes = [
      WireNode(op: "DequantizeLinear", inputs: ["q", "s"], outputs: ["d"], name: "weights"),
      WireNode(op: "Add", inputs: ["x", "d"], outputs: ["y"], name: "sum"),
    ]
    let initializers = [Self.bytes("q", [3], [0x1f, 0x08], type: type), WireTensor.floats("s", [], [0.5])]
    let model = WireModel(opset: 21, nodes: nodes, initializers: initializers, inputs: [("x", [1, 3])])
    let graph = try NeuralNetwork(onnx: model.bytes).graph
    let constants = graph.nodes.compactMap { ($0.operation as? Constant)?.tensor }
    #expect(constants.map(\.elements) == [values.map { $0 / 2 }])
  }

  private func expect(_ reason: String, initializers: [WireTensor], input: [Int] = [1, 2, 4, 4]) {
    expect(
      reason, of: .oneNode("QuantizeLinear", initializers.map(\.name), initializers: initializers, input: input))
  }

  private func expect(_ reason: String, of model: WireModel) {
    let error =
      #expect(throws: (any Error).self) { _ = try NeuralNetwork(onnx: model.bytes).analysis(forInput: [1, 3, 2, 2]) }
      as? any RelevanceKitError
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }
}
