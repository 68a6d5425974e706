import Foundation
import RelevanceONNXFormat
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Removed nodes, rejected nodes with reasons, and ONNX's old experimental operators, with values calculated by hand.
@Suite struct PlainOperatorTests {
  @Test(arguments: ["ArgMax", "ArgMin", "TopK"]) func finalDecisionsAreRemoved(op: String) throws {
    let model = WireModel(
      nodes: [
        WireNode(op: "Relu", inputs: ["x"], outputs: ["scores"]),
        WireNode(op: op, inputs: ["scores"] + (op == "TopK" ? ["k"] : []), outputs: ["best"], name: "decide"),
        WireNode(op: "Identity", inputs: ["best"], outputs: ["y"], name: "pass"),
      ], initializers: [.integers("k", [1])])
    let file = try ONNXFile(model.bytes)
    #expect(file.graph.nodes.map(\.name) == ["x", "scores"])
    #expect(file.graph.outputName == "y")
    #expect(
      file.notes == [
        "model ends in a decision that was removed: pass (Identity), decide (\(op)); "
          + "the scores before it are the output"
      ])
  }

  @Test func decisionsOnTheInputAreComputed() throws {
    let file = try ONNXFile(WireModel.oneNode("ArgMax").bytes)
    #expect(file.graph.nodes.map(\.kind) == [.input, .argMax])
    #expect(file.notes == [])
  }

  /// Boxes that are selected by scores at the end, in the form that exporters write.
  private func suppression(_ behind: WireNode..., scores: String = "scores", isNetwork: Bool = true) -> [UInt8] {
    WireModel(
      nodes: [
        isNetwork
          ? WireNode(op: "MatMul", inputs: ["x", "w"], outputs: ["scores"])
          : WireNode(op: "Sigmoid", inputs: ["x"], outputs: ["scores"]),
        WireNode(op: "Slice", inputs: ["x", "k", "k"], outputs: ["boxes"], name: "box"),
        WireNode(op: "NonMaxSuppression", inputs: ["boxes", scores, "k"], outputs: ["chosen"], name: "choose"),
      ] + behind, initializers: [.integers("k", [1]), .floats("w", [4, 1], [1, 2, 3, 4])]
    ).bytes
  }

  @Test func finalSuppressionIsRemoved() throws {
    let file = try ONNXFile(
      suppression(
        WireNode(op: "Gather", inputs: ["chosen", "k"], outputs: ["rows"], name: "pick"),
        WireNode(op: "GatherND", inputs: ["scores", "rows"], outputs: ["y"], name: "take")))
    #expect(file.graph.nodes.map(\.name) == ["x", "scores"])
    #expect(
      file.notes == [
        "model ends in a decision that was removed: take (GatherND), pick (Gather), choose (NonMaxSuppression), "
          + "box (Slice); the scores before it are the output"
      ])
  }

  @Test func innerSuppressionIsRejected() {
    let further = WireNode(op: "Sigmoid", inputs: ["chosen"], outputs: ["y"])
    let direct = WireNode(op: "Identity", inputs: ["chosen"], outputs: ["y"])
    // Before another operator, with scores that are the input, and with scores that no weighted layer computes.
    for bytes in [suppression(further), suppression(direct, scores: "x"), suppression(direct, isNetwork: false)] {
      let error = #expect(throws: ONNXError.self) { try ONNXFile(bytes) }
      #expect(
        error?.description.contains(
          "node choose (NonMaxSuppression) is not supported: it is only supported at the end of a network, "
            + "where it is removed; "
        ) == true
      )
    }
  }

  /// ONNX Runtime has no GroupNorm for CPUs. By its definition, channels are last, and SiLU follows.
  @Test(arguments: [true, false]) func groupNormOfONNXRuntime(isLast: Bool) throws {
    let numbers = [WireTensor.floats("g", [4], [1, 2, 3, 4]), .floats("b", [4], [0, 1, 0, 1])]
    let file = try ONNXFile(
      WireModel.oneNode(
        "GroupNorm", ["g", "b"],
        attributes: [("groups", .int(2)), ("activation", .int(1)), ("channels_last", .int(isLast ? 1 : 0))],
        initializers: numbers, input: isLast ? [1, 3, 3, 4] : [1, 4, 3, 3]
      ).bytes)
    let kinds: [OperatorKind] = [.input, .transpose, .groupNormalization, .swish, .transpose]
    #expect(file.graph.nodes.map(\.kind) == kinds.filter { isLast || $0 != .transpose })
    let trace = try Executor(file.network()).trace(Seeded.tensor(isLast ? [1, 3, 3, 4] : [1, 4, 3, 3], seed: 1))
    let values = trace.value(of: file.graph.output)
    #expect(values.shape == (isLast ? [1, 3, 3, 4] : [1, 4, 3, 3]))
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let op: String
    let bytes: [UInt8]
    let reason: String
    var testDescription: String { "\(op): \(reason)" }
  }

  static let refusals: [Refusal] = {
    func one(
      _ op: String, _ inputs: [WireTensor] = [], _ attributes: [(String, WireAttribute)] = [],
      input: [Int] = [1, 2, 4, 4], _ reason: String
    ) -> Refusal {
      let model = WireModel.oneNode(
        op, inputs.map(\.name), opset: 18, attributes: attributes, initializers: inputs, input: input)
      return Refusal(op: op, bytes: model.bytes, reason: reason)
    }
    let update = WireTensor.floats("u", [2, 2, 4, 4], [Float](repeating: 1, count: 64))
    return [
      one(
        "LpPool", [], [("kernel_shape", .ints([2, 2])), ("ceil_mode", .int(1))],
        "node it (LpPool) is not supported: ceil_mode is 1; expected 0"),
      one(
        "TopK", [.integers("k", [1])], [("sorted", .int(0))],
        "node it (TopK) is not supported: sorted is 0, which does not define an order; expected 1"),
      one("LpNormalization", [], [("p", .int(3))], "node it (LpNormalization): p is 3; expected 1 or 2"),
      one(
        "ScatterND", [WireTensor(name: "i", dims: [2, 1], type: 7, raw: [UInt8](repeating: 0, count: 16)), update],
        [("reduction", .string("mul"))],
        "node it (ScatterND) is not supported: reduction is mul and indices repeat; expected each index once"),
      one(
        "BatchNormalization", ["s", "b", "m", "v"].map { .floats($0, [2], [1, 1]) }, [("training_mode", .int(1))],
        "node it (BatchNormalization) is not supported: training_mode is 1 and the input depends on the image; "
          + "expected 0"
      ),
      one(
        "Col2Im", [.integers("i", [4, 4]), .integers("b", [2])], input: [1, 4, 9],
        "node it (Col2Im): image_shape is [4, 4] and block_shape [2]; expected the same number of extents"),
      one(
        "Col2Im", [.integers("i", [1, 4]), .integers("b", [2, 2])], input: [1, 4, 9],
        "node it (Col2Im): the window covers 2 elements of spatial axis 0, but the input has 1"),
      one(
        "Conv", [.floats("w", [1, 2, 2, 2, 2], [Float](repeating: 1, count: 16))],
        [("auto_pad", .string("SAME_UPPER")), ("strides", .ints([1, 2, 1]))],
        input: [1, 2, 4, 4, 4],
        "node it (Conv) is not supported: auto_pad is set for 3 spatial axes with strides [1, 2, 1]; expected pads"),
    ]
  }()

  @Test(arguments: refusals) func isRejected(test: Refusal) {
    let error = #expect(throws: ONNXError.self) { try ONNXFile(test.bytes) }
    #expect(error?.description.contains(test.reason) == true, "\(error?.description ?? "")")
  }

  @Test(
    arguments: [
      ("Scale", [("scale", WireAttribute.float(2))], [-2, 4]),
      ("Affine", [("alpha", .float(2)), ("beta", .float(0.5))], [-1.5, 4.5]),
      ("ScaledTanh", [("alpha", .float(2)), ("beta", .float(0.5))], [2 * tanh(-0.5), 2 * tanh(1)]),
      (
        "ParametricSoftplus", [("alpha", .float(2)), ("beta", .float(0.5))],
        [2 * log(1 + exp(-0.5)), 2 * log(1 + exp(1))]
      ),
      ("ImageScaler", [("scale", .float(2)), ("bias", .floats([1]))], [-1, 5]),
      ("Crop", [("border", .ints([1, 0, 0, 0]))], [2]),
      ("Crop", [("border", .ints([0, 0, 9, 9])), ("scale", .ints([1, 1]))], [-1]),
    ] as [(String, [(String, WireAttribute)], [Float])])
  func experiments(op: String, attributes: [(String, WireAttribute)], expected: [Float]) throws {
    let model = WireModel.oneNode(op, opset: 7, attributes: attributes, input: [1, 1, 1, 2])
    let network = try NeuralNetwork(onnx: model.bytes)
    let trace = try Executor(network).trace(Tensor(shape: [1, 1, 1, 2], elements: [-1, 2]))
    let found = trace.value(of: network.graph.output).elements
    #expect(found.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found)")
  }
}
