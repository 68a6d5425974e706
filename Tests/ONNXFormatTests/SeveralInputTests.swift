import RelevanceExecution
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import RelevanceTensors
import Testing

/// Networks with several inputs: one is the image, and the others have given values.
@Suite struct SeveralInputTests {
  /// `relu(x · s)`, from which `i` selects columns, with an additional unused input.
  private static let model = WireModel(
    nodes: [
      WireNode(op: "Mul", inputs: ["x", "s"], outputs: ["m"]), WireNode(op: "Relu", inputs: ["m"], outputs: ["r"]),
      WireNode(op: "Gather", inputs: ["r", "i"], outputs: ["y"], attributes: [("axis", .int(3))]),
    ], inputs: [("s", [3, 1, 1]), ("x", [1, 3, 2, 2]), ("unused", [4])], integerInputs: [("i", [-1])])

  private static let s = Tensor(shape: [3, 1, 1], elements: [1, -2, 3])
  private static let i = Tensor(shape: [3], elements: [1, 0, 1])

  @Test func theImageIsTheInputWithoutValue() throws {
    let folder = try ScratchFolder()
    let network = try NeuralNetwork(
      contentsOf: folder.write(Self.model.bytes, as: "m.onnx"), inputs: ["s": Self.s, "i": Self.i])
    #expect(network.inputShape.description == "1×3×2×2")
    let x = Tensor(shape: [1, 3, 2, 2], elements: (0..<12).map { Float($0) - 5 })
    let y = try Executor(network).logits(x)
    var expected: [Float] = []
    for channel in 0..<3 {
      for row in 0..<2 {
        for column in [1, 0, 1] {
          expected.append(max(x[0, channel, row, column] * [1, -2, 3][channel], 0))
        }
      }
    }
    #expect(y.elements == expected)
  }

  @Test(arguments: [
    ([:], "the graph has 3 inputs, s (3×1×1), x (1×3×2×2), i (n1); expected one image and values for s, i"),
    (["s": Self.s], "the graph has 3 inputs, s (3×1×1), x (1×3×2×2), i (n1); expected one image and values for i"),
    (["s": Self.i], "input s: the value has shape 3; expected 3×1×1"),
    (["s": Self.s, "i": Tensor(shape: [1], elements: [0.5])], "input i: the value contains 0.5; expected integers"),
    (["t": Self.s], "no input is named t; expected s or x or unused or i"),
    (
      ["s": Self.s, "i": Self.i, "x": Tensor(shape: [1, 3, 2, 2])],
      "values are given for all inputs; expected one input without a value, for the image"
    ),
  ])
  func rejected(inputs: [String: Tensor], reason: String) throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.model.bytes, as: "m.onnx")
    let error =
      #expect(throws: (any Error).self) { try NeuralNetwork(contentsOf: file, inputs: inputs) }
      as? any RelevanceKitError
    #expect(error?.description == "\(file): \(reason)")
    #expect(error?.category == .badData)
  }
}
