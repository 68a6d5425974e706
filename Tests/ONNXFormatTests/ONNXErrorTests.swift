import Foundation
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// The error messages that a user reads.
@Suite struct ONNXErrorTests {
  @Test func aMissingFile() {
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(contentsOf: "/nowhere/net.onnx") }
    #expect(error?.description == "/nowhere/net.onnx: there is no such file")
    #expect(error?.category == .missingInput)
  }

  @Test func aFolderWithoutAModel() throws {
    let folder = try ScratchFolder()
    let error = #expect(throws: ONNXError.self) { try folder.readNetwork() }
    #expect(error?.description == "\(folder.path)/model.onnx: there is no such file")
    #expect(error?.category == .missingInput)
  }

  @Test func aFolderInPlaceOfAModel() throws {
    let folder = try ScratchFolder()
    try FileManager.default.createDirectory(atPath: folder.path + "/model.onnx", withIntermediateDirectories: false)
    let error = #expect(throws: ONNXError.self) { try folder.readNetwork() }
    #expect(error?.description == "\(folder.path)/model.onnx: cannot be read: it is a folder")
  }

  @Test func aPipe() throws {
    let folder = try ScratchFolder()
    #expect(mkfifo(folder.path + "/model.onnx", 0o600) == 0)
    let error = #expect(throws: ONNXError.self) { try folder.readNetwork() }
    #expect(error?.description == "\(folder.path)/model.onnx: cannot be read: it is not a regular file")
  }

  @Test func anEmptyFile() throws {
    let folder = try ScratchFolder()
    try folder.writeZeros(0, as: "model.onnx")
    let error = #expect(throws: ONNXError.self) { try folder.readNetwork() }
    #expect(error?.description == "\(folder.path)/model.onnx: the file is empty; expected an ONNX model")
    #expect(error?.category == .badData)
  }

  @Test(arguments: [
    (
      "hello world",
      "model: not an ONNX model, or damaged: field 13 at byte 2 has wire type 4, which does not exist in ONNX"
    ),
    (
      "# Notes\n",
      "model: not an ONNX model, or damaged: domain at byte 0 has wire type 3, which does not exist in ONNX"
    ),
    ("\u{8}\u{7}", "model: not an ONNX model, or damaged: the file contains no graph"),
  ])
  func otherFiles(content: String, sentence: String) {
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: Array(content.utf8)) }
    #expect(error?.description == sentence)
    #expect(error?.category == .badData)
  }

  @Test func aTruncatedFile() {
    let bytes = DamagedModelTests.small.bytes
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: Array(bytes.dropLast(100))) }
    let left = bytes.count - 100 - 9
    #expect(
      error?.description
        == "model: not an ONNX model, or damaged: the data ends inside graph at byte 6: "
        + "expected \(left + 100) bytes, found \(left)")
  }

  @Test func allUnsupportedNodesAreListed() {
    let model = WireModel(
      nodes: [
        WireNode(op: "DeformConv", inputs: ["x"], outputs: ["a"], name: "first"),
        WireNode(op: "Relu", inputs: ["a"], outputs: ["b"]),
        WireNode(op: "CropAndResize", inputs: ["b"], outputs: ["c"], domain: "com.microsoft"),
        WireNode(op: "Conv", inputs: ["x", "x"], outputs: ["d"], name: "dynamic"),
        WireNode(op: "DeformConv", inputs: ["c", "d"], outputs: ["y"]),
      ])
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes) }
    #expect(
      error?.description
        == "model: 4 nodes are not supported: DeformConv × 2 (first, y), com.microsoft.CropAndResize (c), "
        + "Conv (dynamic: input W is computed from the image; expected a constant)"
    )
    #expect(error?.category == .badData)
  }

  @Test func aLongListIsCut() {
    var model = WireModel()
    for index in 0..<30 {
      model.nodes.append(
        WireNode(op: "DeformConv", inputs: [index == 0 ? "x" : "v\(index - 1)"], outputs: ["v\(index)"]))
    }
    model.outputs = ["v29"]
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes) }
    #expect(error?.description == "model: 30 nodes are not supported: DeformConv × 30 (v0, v1, v2, …)")
  }

  @Test func manyOperatorsAndReasonsAreCut() {
    func node(_ op: String, _ name: String, _ reason: String? = nil) -> ONNXError.UnsupportedNode {
      ONNXError.UnsupportedNode(op, name: name, reason: reason)
    }
    let reasons = (0..<5).map { node("Gemm", "g\($0)", "reason \($0)") } + [node("Gemm", "h", "reason 4")]
    #expect(
      ONNXError.unsupported(file: "f", nodes: reasons).description
        == "f: 6 nodes are not supported: Gemm (g0: reason 0), Gemm (g1: reason 1), Gemm (g2: reason 2), 3 more Gemm")
    let operators = (0..<25).flatMap { [node("Op\($0)", "a\($0)"), node("Op\($0)", "b\($0)")] }
    let sentence = ONNXError.unsupported(file: "f", nodes: operators).description
    #expect(sentence.hasPrefix("f: 50 nodes are not supported: Op0 × 2 (a0, b0), Op1 × 2 (a1, b1), "))
    #expect(sentence.hasSuffix("Op19 × 2 (a19, b19), 10 nodes of 5 more operators"))
  }

  @Test(arguments: [
    (
      WireModel.oneNode("Flatten", attributes: [("axis", .float(1))]),
      "node it (Flatten): attribute axis is of type FLOAT; expected INT"
    ),
    (.oneNode("Concat"), "node it (Concat): attribute axis is missing"),
    (.oneNode("MaxPool"), "node it (MaxPool): attribute kernel_shape is missing"),
    (
      .oneNode("MaxPool", attributes: [("kernel_shape", .ints([2, 2])), ("pads", .ints([1, 1]))]),
      "node it (MaxPool): pads is [1, 1]; expected 4 numbers ≥ 0, two per spatial axis"
    ),
    (
      .oneNode("MaxPool", attributes: [("kernel_shape", .ints([2, 2])), ("auto_pad", .string("SOME"))]),
      "node it (MaxPool): auto_pad is SOME; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"
    ),
    (
      .oneNode("MaxPool", attributes: [("kernel_shape", .ints([2, 2])), ("strides", .ints([0, 1]))]),
      "node it (MaxPool): strides is [0, 1]; expected 2 positive numbers, one per spatial axis (two each for pads)"
    ),
    (
      .oneNode("Conv", ["w"], initializers: [.floats("w", [1, 2, 1, 1], [1, 2])], input: [1, 2, 4]),
      "node it (Conv): input X has 3 axes; expected 4"
    ),
    (
      .oneNode("Conv", ["w"], initializers: [.floats("w", [1, 2, 1, 1], [1])]),
      "tensor w: dims 1×2×1×1 of type FLOAT take 8 bytes; found 4"
    ),
    (
      .oneNode("Conv", ["w"], initializers: [WireTensor(name: "w", dims: [1, 2, 1, 1])]),
      "tensor w: dims 1×2×1×1 take 2 elements; found 0"
    ),
    (
      .oneNode("Conv", ["w"], initializers: [WireTensor(name: "w", dims: [1, 2, 1, 1], type: 8, raw: [0, 0, 0, 0])]),
      "tensor w: the element type is STRING; expected FLOAT, DOUBLE, FLOAT16 or BFLOAT16"
    ),
    (
      .oneNode("Add", ["w"], initializers: [WireTensor(name: "w", dims: [-2])]),
      "tensor w: dims [-2] is not a tensor shape; expected extents ≥ 0 whose product fits in memory"
    ),
    (.oneNode("Add"), "node it (Add): input B is missing"),
    (
      .oneNode("Add", ["nothing"]),
      "node it (Add): its input nothing is undefined; expected an earlier output, an initializer or a graph input"
    ),
    (.oneNode("Relu", opset: 0), "found opset 0; expected opset 1 to 28"),
    (.oneNode("Relu", opset: 29), "found opset 29; expected opset 1 to 28"),
    (WireModel(outputs: []), "the graph has no output; expected at least 1"),
    (WireModel(outputs: ["z"]), "output z is undefined; expected an output of a node"),
    (WireModel(inputs: [("x", [1]), ("x", [1])]), "two inputs are named x; expected different names"),
  ])
  func badModels(model: WireModel, sentence: String) {
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes) }
    #expect(error?.description == "model: \(sentence)")
  }

  @Test func severalInputsNameTheFile() {
    let model = WireModel(
      nodes: [WireNode(op: "Add", inputs: ["x", "z"], outputs: ["y"])], inputs: [("x", [1, 2]), ("z", [1, 2])])
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes, name: "two.onnx") }
    #expect(
      error?.description == "two.onnx: the graph has 2 inputs, x (1×2), z (1×2); expected one image and values for z")
  }

  @Test func errorsAreLocalized() {
    let errors: [any Error] = [
      ONNXError.empty("net.onnx"), GraphError.noSuchNode("a", suggestion: "b"),
      Misfit("pads are [1]"),
    ]
    for error in errors { #expect(error.localizedDescription == "\(error)") }
  }

  @Test func duplicateOutputs() {
    let relu = WireNode(op: "Relu", inputs: ["x"], outputs: ["y"])
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: WireModel(nodes: [relu, relu]).bytes) }
    #expect(error?.description == "model: node y (Relu): output y already exists; expected a new name")
  }

  @Test func namesCannotBreakTheLine() {
    let model = WireModel(nodes: [WireNode(op: "Ein\nsum", inputs: ["x"], outputs: ["y"], name: "a\u{1b}[31m\r\nb")])
    let error = #expect(throws: ONNXError.self) { try NeuralNetwork(onnx: model.bytes) }
    #expect(error?.description == "model: node a?[31m??b (Ein?sum) is not supported")
  }
}
