import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import Testing

/// The reasons for which Einsum is rejected. `OperatorParityTests` compares its values with ONNX Runtime's.
@Suite struct EinsumTests {
  @Test(arguments: [
    ("ab,cb->a->c", "expected one term of letters for each of 2 operands"),
    ("ab->a", "expected one term of letters for each of 2 operands"),
    ("ab,c1->a", "expected one term of letters for each of 2 operands"),
    ("ab,cb->ad", "expected output labels that the operands have, each once"),
    ("abc,cb->a", "does not match the operands' numbers of axes"),
    ("abcd...,cb->abcd", "does not match the operands' numbers of axes"),
    ("ab,cb->acc", "expected output labels that the operands have, each once"),
  ])
  func rejected(equation: String, reason: String) {
    let weights = WireTensor.floats("w", [3, 2], [1, 2, 3, 4, 5, 6])
    expect(
      reason,
      of: WireModel.oneNode(
        "Einsum", ["w"], attributes: [("equation", .string(equation))], initializers: [weights], input: [1, 2]))
  }

  @Test func diagonalsOfNoSquares() {
    let model = WireModel.oneNode("Einsum", attributes: [("equation", .string("abb->a"))], input: [1, 2, 3])
    #expect(throws: (any Error).self) { try ONNXFile(model.bytes).graph.shapes(forInput: [1, 2, 3]) }
  }

  @Test func noEquation() {
    expect("equation", of: .oneNode("Einsum", [], input: [1, 2]))
  }

  private func expect(_ reason: String, of model: WireModel) {
    let error = #expect(throws: (any Error).self) { try NeuralNetwork(onnx: model.bytes) } as? any RelevanceKitError
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }
}
