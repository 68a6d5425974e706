import RelevanceExecution
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// Operators before opset 7, with values calculated by hand from ONNX's operator changelog.
@Suite struct OldOpsetTests {
  private static let x = Tensor(shape: [1, 2, 2, 2], elements: [1, -2, 3, -4, 5, -6, 7, -8])
  private static let list = WireTensor.floats("b", [2], [10, 100])

  private func run(_ model: WireModel) throws -> Tensor {
    try Executor(try NeuralNetwork(onnx: model.bytes)).logits(Self.x)
  }

  /// `axis` is the position of the second operand's axes among those of the first.
  @Test(
    arguments: [
      ("Add", [("broadcast", 1), ("axis", 1)], [11, 8, 13, 6, 105, 94, 107, 92]),
      ("Add", [("broadcast", 1)], [11, 98, 13, 96, 15, 94, 17, 92]),
      ("Mul", [("broadcast", 1), ("axis", 1)], [10, -20, 30, -40, 500, -600, 700, -800]),
      ("Sub", [("broadcast", 1), ("axis", 2)], [-9, -12, -97, -104, -5, -16, -93, -108]),
      ("Div", [("broadcast", 1), ("axis", -2)], [0.1, -0.2, 0.03, -0.04, 0.5, -0.6, 0.07, -0.08]),
    ] as [(String, [(String, Int)], [Float])])
  func pairwise(op: String, attributes: [(String, Int)], expected: [Float]) throws {
    let model = WireModel.oneNode(
      op, ["b"], opset: 6, attributes: attributes.map { ($0.0, .int($0.1)) }, initializers: [Self.list],
      input: [1, 2, 2, 2])
    let found = try run(model)
    #expect(zip(found.elements, expected).allSatisfy { abs($0 - $1) <= 1e-6 * abs($1) }, "\(found.elements)")
  }

  @Test func slopesPerChannel() throws {
    let slopes = WireTensor.floats("s", [2], [0.5, 0.25])
    let found = try run(.oneNode("PRelu", ["s"], opset: 6, initializers: [slopes], input: [1, 2, 2, 2]))
    #expect(found.elements == [1, -1, 3, -2, 5, -1.5, 7, -2])
  }

  @Test func attributesThatBecameInputs() throws {
    let reshaped = try run(
      .oneNode("Reshape", opset: 1, attributes: [("shape", .ints([0, -1]))], input: [1, 2, 2, 2]))
    #expect(reshaped.shape == [1, 8])
    let padded = try run(
      .oneNode("Pad", opset: 1, attributes: [("paddings", .ints([0, 0, 0, 1, 0, 0, 0, 0]))], input: [1, 2, 2, 2]))
    #expect(padded.elements == [0, 1, -2, 0, 3, -4, 0, 5, -6, 0, 7, -8])
    let cast = try run(.oneNode("Cast", opset: 1, attributes: [("to", .string("FLOAT"))], input: [1, 2, 2, 2]))
    #expect(cast == Self.x)
    let joined = try run(.oneNode("Concat", ["x"], opset: 1, input: [1, 2, 2, 2]))
    #expect(joined.shape == [1, 4, 2, 2])
    let larger = try run(
      .oneNode(
        "Upsample", opset: 1, attributes: [("width_scale", .float(2)), ("height_scale", .float(1))],
        input: [1, 2, 2, 2]))
    #expect(larger.elements == [1, 1, -2, -2, 3, 3, -4, -4, 5, 5, -6, -6, 7, 7, -8, -8])
  }

  /// Files from before the introduction of opsets declare none.
  @Test func noOpset() throws {
    var model = WireModel.oneNode("Relu", input: [1, 2, 2, 2])
    model.opset = nil
    #expect(try run(model).elements == [1, 0, 3, 0, 5, 0, 7, 0])
  }

  @Test(arguments: [
    ("Add", [("axis", WireAttribute.int(4))], "axis is 4; expected one of 4 axes with room for 1"),
    ("Cast", [("to", .string("FLOATS"))], "to is FLOATS; expected an element type"), ("Reshape", [], "shape"),
  ])
  func rejected(op: String, attributes: [(String, WireAttribute)], reason: String) {
    let model = WireModel.oneNode(
      op, op == "Add" ? ["b"] : [], opset: 1, attributes: attributes, initializers: [Self.list], input: [1, 2, 2, 2])
    let error = #expect(throws: (any Error).self) { try NeuralNetwork(onnx: model.bytes) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(reason))
  }
}
