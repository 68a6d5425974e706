import RelevanceExecution
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import RelevanceTestSupport
import Testing

/// The choice of the result among several outputs, and the selection of another one by name.
@Suite struct OutputChoiceTests {
  /// A graph in short notation (`c = Conv x` and so on), its outputs, and the preferred one.
  struct Case: Sendable, CustomStringConvertible {
    let description: String
    let lines: String
    let outputs: [String]
    let preferred: String

    init(_ description: String, _ lines: String, _ outputs: [String], prefers preferred: String) {
      (self.description, self.lines, self.outputs, self.preferred) = (description, lines, outputs, preferred)
    }

    var model: WireModel {
      let nodes = lines.split(separator: ";").map { line -> WireNode in
        let words = line.split(separator: " ").map(String.init)
        return WireNode(
          op: words[2], inputs: Array(words[3...]), outputs: [words[0]],
          domain: words[2] == "ArrayFeatureExtractor" ? "ai.onnx.ml" : "", attributes: Self.attributes[words[2]] ?? [])
      }
      return WireModel(
        opset: 13, nodes: nodes,
        initializers: [
          .floats("k", [2, 2, 1, 1], [1, 2, 3, 4]), .floats("w", [2, 2], [1, 2, 3, 4]), .floats("b", [2], [1, 2]),
          .integers("s", [1, -1]), .integers("last", [-1]),
        ], inputs: [("x", [1, 2, 1, 1])], outputs: outputs)
    }

    private static let attributes: [String: [(String, WireAttribute)]] = ["ArgMax": [("axis", .int(1))]]
  }

  static let features = "c = Conv x k; r = Relu c; p = GlobalAveragePool r; f = Flatten p; "
  static let cases = [
    Case("one output", features + "y = Gemm f w b", ["f"], prefers: "f"),
    Case("features, then logits", features + "y = Gemm f w b", ["f", "y"], prefers: "y"),
    Case("logits, then features", features + "y = Gemm f w b", ["y", "f"], prefers: "y"),
    Case("logits as a product and a sum", features + "m = MatMul f w; y = Add b m", ["f", "y"], prefers: "y"),
    Case("a map of features", features + "y = Gemm f w b; z = Reshape y s", ["r", "f", "z"], prefers: "z"),
    Case("an embedding between", features + "e = Gemm f w; y = Gemm e w", ["f", "e", "y"], prefers: "y"),
    Case("an embedding alone", features + "e = Gemm f w; y = Gemm e w; q = Softmax y", ["e", "q"], prefers: "q"),
    Case("logits and probabilities", features + "y = Gemm f w; q = Softmax y", ["y", "q"], prefers: "q"),
    Case("probabilities and logits", features + "y = Gemm f w; q = Softmax y", ["q", "y"], prefers: "q"),
    Case("deeper features", features + "c2 = Conv r k; r2 = Relu c2", ["r", "r2"], prefers: "r"),
    Case("features and their class", features + "a = ArgMax f", ["f", "a"], prefers: "f"),
    Case(
      "a class that is looked up, and probabilities",
      features + "y = Gemm f w; q = Softmax y; a = ArgMax q; l = ArrayFeatureExtractor b a", ["l", "q"], prefers: "q"),
    Case("two heads", features + "y = Gemm f w; z = Gemm f w b", ["y", "z"], prefers: "y"),
    Case("features and two heads", features + "y = Gemm f w; z = Gemm f w b", ["f", "y", "z"], prefers: "y"),
    Case(
      "boxes and scores", features + "y = Gemm f w; z = Gemm f w b; q = Softmax z; t = Reshape q s", ["y", "t"],
      prefers: "t"),
    Case(
      "features, boxes and scores", features + "y = Gemm f w; z = Gemm f w b; q = Sigmoid z", ["f", "y", "q"],
      prefers: "q"),
    Case("scores and boxes", features + "y = Gemm f w; z = Gemm f w b; q = Softmax z", ["q", "y"], prefers: "q"),
    Case("two scores", features + "q = Sigmoid f; y = Gemm f w; t = Softmax y", ["q", "t"], prefers: "q"),
    // Logits that depend on the attention map.
    Case(
      "logits and attention", "c = Conv x k; q = Sigmoid c; m = Mul c q; f = Flatten m; y = Gemm f w", ["y", "q"],
      prefers: "y"),
    Case(
      "attention and logits", "c = Conv x k; q = Sigmoid c; m = Mul c q; f = Flatten m; y = Gemm f w", ["q", "y"],
      prefers: "q"),
    Case(
      "a decision and probabilities", features + "y = Gemm f w; q = Softmax y; a = ArgMax q", ["a", "q"], prefers: "q"),
    Case("a decision and logits", features + "y = Gemm f w; a = ArgMax y", ["a", "y"], prefers: "y"),
    Case(
      "a decision and probabilities of the same logits", features + "y = Gemm f w; q = Softmax y; a = ArgMax y",
      ["a", "q"], prefers: "q"),
    Case("a copy", features + "y = Identity f", ["f", "y"], prefers: "f"),
    Case("a residual sum", features + "e = Gemm f w; y = Add e f", ["f", "y"], prefers: "f"),
  ]

  @Test(arguments: cases) func preferredOutputs(one: Case) throws {
    let graph = try ONNXFile(one.model.bytes).graph
    #expect(graph.outputName == one.preferred)
    #expect(graph.outputNames == one.outputs)
    #expect(graph[graph.output].name == one.preferred || one.outputs.count == 1)
    let network = try NeuralNetwork(onnx: one.model.bytes)
    #expect(network.graph.outputName == one.preferred && network.graph.outputNames == one.outputs)
  }

  @Test func outputsAndNodesByName() throws {
    let folder = Fixtures.path("cases/two_outputs")
    let input = try Fixtures.tensor("cases/two_outputs/input.npy")
    // In this file, the probabilities have the name logits. The values are ONNX Runtime's.
    for (name, file) in [
      ("head/features", "features"), ("flatten", "features"), ("logits", "probabilities"), ("softmax", "probabilities"),
      ("fc", "scores"), ("scores", "scores"), ("relu", "rectified"), ("rectified", "rectified"), (nil, "probabilities"),
    ] {
      let network = try NeuralNetwork(contentsOf: folder, output: name)
      #expect(network.graph.outputName == name ?? "logits")
      #expect(network.graph.outputNames == ["head/features", "logits"])
      let found = try Executor(network).trace(input).value(of: network.graph.output)
      let expected = try Fixtures.tensor("cases/two_outputs/\(file)-output.npy")
      #expect(found.shape == expected.shape)
      let difference = zip(found.elements, expected.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(difference <= 1e-5 * expected.largestMagnitude(), "\(name ?? "none")")
    }
    // A rewrite keeps the outputs.
    let folded = try NeuralNetwork(contentsOf: folder).foldingBatchNormalization()
    #expect(folded.graph.outputName == "logits" && folded.graph.outputNames == ["head/features", "logits"])
  }

  @Test func wrongNames() throws {
    let model = WireModel.oneNode("Relu")
    for (name, end) in [("z", "; did you mean y?"), ("its", "; did you mean it?"), ("logits", "; the outputs are y")] {
      let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes, output: name) }
      #expect(error?.description == "model: no output or node is named \(name)\(end)")
      #expect(error?.category == .usage)
    }
    // The input has no operation.
    #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes, output: "x") }
  }

  /// Only nodes that the chosen value depends on are read.
  @Test func nodesBesideTheChosenOutputAreLeftOut() throws {
    var model = WireModel.oneNode("Relu")
    model.nodes.append(WireNode(op: "DeformConv", inputs: ["y"], outputs: ["e"]))
    model.outputs = ["e", "y"]
    #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes) }
    #expect(try NeuralNetwork(onnx: model.bytes, output: "y").graph.nodes.map(\.name) == ["x", "it"])
  }

  /// A converted file has the first output, as before the choice of outputs existed.
  @Test func conversionsKeepTheFirstOutput() throws {
    let source = try ONNXFile(contentsOf: Fixtures.path("cases/two_outputs"), prefersLogits: false)
    #expect(source.graph.outputName == "head/features")
    #expect(source.nodes.map(\.name) == ["conv", "relu", "pool", "flatten"])
    #expect(try ONNXFile(contentsOf: Fixtures.path("cases/two_outputs"), output: "fc").nodes.last?.name == "fc")
  }
}
