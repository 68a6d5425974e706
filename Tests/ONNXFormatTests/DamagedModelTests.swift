import RelevanceExecution
import Foundation
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import RelevanceTensors
import RelevanceTestSupport
import Testing

/// Truncated, modified and malicious files: each gives a model or one line of error, and never a crash.
@Suite struct DamagedModelTests {
  @Test(arguments: ["alexnet-dynamo", "vgg16-torchscript"])
  func everyPrefixOfANetwork(name: String) throws {
    let bytes = Array(try Fixtures.data("networks/\(name)/model.onnx"))
    for count in 0..<bytes.count { Self.load(Array(bytes[..<count])) }
  }

  @Test func everyPrefixOfAModelWithWeightsIsRejected() throws {
    let bytes = Self.small.bytes
    #expect(throws: Never.self) { try NeuralNetwork(onnx: bytes) }
    for count in 0..<bytes.count {
      #expect(throws: ONNXError.self, "\(count) of \(bytes.count) bytes") {
        try NeuralNetwork(onnx: Array(bytes[..<count]))
      }
    }
  }

  @Test func changedBytes() throws {
    var random = SplitMix(state: 20)
    let originals = try [
      Self.small.bytes,
      Array(Fixtures.data("networks/alexnet-dynamo/model.onnx")),
    ]
    for round in 0..<6000 {
      var bytes = originals[round % originals.count]
      for _ in 0...random.next(below: 4) {
        let place = random.next(below: bytes.count)
        switch random.next(below: 4) {
        case 0: bytes[place] ^= 1 << UInt8(random.next(below: 8))
        case 1: bytes[place] = UInt8(random.next(below: 256))
        case 2: bytes[place] = 0xff
        default: bytes.remove(at: place)
        }
      }
      Self.load(bytes)
    }
  }

  @Test func randomBytes() {
    var random = SplitMix(state: 21)
    for _ in 0..<2000 { Self.load((0..<random.next(below: 200)).map { _ in UInt8(random.next(below: 256)) }) }
  }

  @Test func deeplyNestedSubgraphsAreRejected() throws {
    var graph = WireMessage()
    for _ in 0..<2000 {
      var attribute = WireMessage()
      attribute.message(6, graph)
      var node = WireMessage()
      node.message(5, attribute)
      graph = WireMessage()
      graph.message(1, node)
    }
    var model = WireMessage()
    model.message(7, graph)
    let error = #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
    #expect(error?.description.contains("messages are nested deeper than 64 at byte") == true)
  }

  @Test func manyEmptyNodesAreRejected() throws {
    var graph = WireMessage()
    for _ in 0..<2_000_000 { graph.message(1, WireMessage()) }
    var model = WireMessage()
    model.message(7, graph)
    let error = #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
    #expect(error?.description.contains("the graph needs more memory than 64 MiB plus 8 times the file size") == true)
  }

  @Test func aSecondGraphIsRejected() throws {
    var model = WireMessage()
    model.message(7, WireMessage())
    model.message(7, WireMessage())
    let error = #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
    #expect(error?.description.hasSuffix("graph appears a second time at byte 2") == true)
  }

  @Test(arguments: [
    [Int.max, Int.max], [1 << 32, 1 << 32], [-1], [-1, -4], [1 << 62], [0, Int.max, Int.max],
    Array(repeating: 1, count: 33),
  ])
  func hostileDims(dims: [Int]) {
    for raw in [nil, [], [0, 0, 0, 0]] as [[UInt8]?] {
      let tensor = WireTensor(name: "w", dims: dims, raw: raw)
      for op in ["Add", "Conv", "MatMul", "Gemm", "Reshape", "Concat"] {
        let model = WireModel.oneNode(op, ["w"], initializers: [tensor], input: [2, 4])
        #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
      }
    }
  }

  @Test func anEmptyWeightCannotDeclareOutputs() {
    let weight = WireTensor(name: "w", dims: [0, 1 << 40], raw: [])
    let model = WireModel.oneNode("Gemm", ["w", "c"], initializers: [weight, .floats("c", [], [1])], input: [2, 4])
    #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
  }

  /// Each node doubles a constant. A few bytes must not fill the memory, however many nodes there are.
  @Test func constantsHaveALimit() {
    var model = WireModel(initializers: [.floats("c0", [1 << 12], (0..<1 << 12).map(Float.init))])
    for i in 0..<40 {
      model.nodes.append(
        WireNode(
          op: "Concat", inputs: ["c\(i)", "c\(i)"], outputs: ["c\(i + 1)"], name: "double\(i)",
          attributes: [("axis", .int(0))]))
    }
    model.nodes.append(WireNode(op: "Add", inputs: ["x", "c40"], outputs: ["y"]))
    let error = #expect(throws: ONNXError.self) { try ONNXFile(model.bytes).graph }
    #expect(error?.description.contains("the model computes constants with") == true, "\(String(describing: error))")
  }

  /// A run that does not fit in memory is rejected before anything is allocated.
  @Test func runsBeyondMemoryAreRejected() throws {
    let pads = [Int](repeating: 1 << 19, count: 4)
    let model = WireModel.oneNode(
      "MaxPool", attributes: [("kernel_shape", .ints([1, 1])), ("pads", .ints([0, 0, 0, 0]))], input: [1, 2, 4, 4])
    #expect(throws: Never.self) { try Executor(NeuralNetwork(onnx: model.bytes)).logits(Tensor(shape: [1, 2, 4, 4])) }
    let weight = WireTensor.floats("w", [2, 2, 1, 1], [1, 2, 3, 4])
    let padded = WireModel.oneNode("Conv", ["w"], attributes: [("pads", .ints(pads))], initializers: [weight])
    let network = try NeuralNetwork(onnx: padded.bytes)
    let error = #expect(throws: ExecutionError.self) { try Executor(network).logits(Tensor(shape: [1, 2, 4, 4])) }
    #expect(
      error?.description.hasPrefix("node it has values of shape 1×2×1048580×1048580, which need more than the")
        == true)
  }

  /// A convolution, a head, and both encodings of constants.
  static var small: WireModel {
    let convolution = WireNode(
      op: "Conv", inputs: ["x", "w", "b"], outputs: ["c"], name: "conv", attributes: [("pads", .ints([1, 1, 1, 1]))])
    let head = WireNode(op: "Gemm", inputs: ["f", "m"], outputs: ["y"], attributes: [("transB", .int(1))])
    var typed = WireTensor(name: "b", dims: [1])
    typed.typed.data(4, littleEndian([0.5 as Float]))
    return WireModel(
      nodes: [
        convolution, WireNode(op: "Relu", inputs: ["c"], outputs: ["r"]),
        WireNode(op: "Flatten", inputs: ["r"], outputs: ["f"]), head,
      ],
      initializers: [
        .floats("w", [1, 2, 3, 3], (0..<18).map(Float.init)), typed, .floats("m", [2, 16], (0..<32).map(Float.init)),
      ])
  }

  /// Reads data that may be a model. An error must be one of the package's errors, in one line.
  static func load(_ bytes: [UInt8]) {
    do {
      let network = try NeuralNetwork(onnx: bytes)
      // An accepted model must be readable to its last weight.
      for node in network.graph.nodes {
        switch node.operation {
        case let convolution as Convolution: _ = convolution.weight.sum()
        case let linear as Linear: _ = linear.weight.sum()
        case let constant as Constant: _ = constant.tensor?.sum()
        default: break
        }
      }
    } catch let error as any RelevanceKitError {
      #expect(!error.description.isEmpty && !error.description.contains("\n"))
    } catch {
      Issue.record("\(error)")
    }
  }
}

/// A small seeded generator of random numbers.
struct SplitMix {
  var state: UInt64

  mutating func next(below bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }
}
