import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// A written network is read again as the same network.
@Suite(.serialized) struct WritingTests {
  static let operators: [String] = {
    let folder = Fixtures.path("operators")
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }()

  @Test(arguments: operators) func operatorsComputeTheSame(name: String) throws {
    let source = try ONNXFile(contentsOf: Fixtures.path("operators/\(name)"), prefersLogits: false)
    let network = try NeuralNetwork(source.graph)
    let input = try Fixtures.tensor("operators/\(name)/input.npy")
    for placement in [ONNXWriter.WeightPlacement.beside, .inside] {
      let scratch = try Fixtures.Scratch()
      let file = scratch.path("out.onnx")
      try ONNXWriter(placement: placement, outputName: source.graph.outputName).write(network, to: file)
      let found = try NeuralNetwork(contentsOf: file)
      let again = try ONNXFile(contentsOf: file, prefersLogits: false)
      #expect(again.graph.outputName == source.graph.outputName)
      #expect(found.graph[found.input].name == network.graph[network.input].name)
      #expect(Set(network.graph.nodes.map(\.name)).isSubset(of: found.graph.nodes.map(\.name)))
      let expected = try Self.output(of: network, input)
      #expect(try Self.output(of: found, input).largestDifference(from: expected) <= 1e-6)
    }
  }

  @Test(arguments: [
    "alexnet-dynamo", "alexnet-torchscript", "googlenet-batchnorm", "googlenet-dynamo", "googlenet-torchscript",
    "resnet18-kept", "vgg16-dynamo", "vgg16-torchscript",
  ])
  func networksComputeTheSame(name: String) throws {
    let scratch = try Fixtures.Scratch()
    try SeededNetwork.write(name, to: scratch)
    let source = try ONNXFile(contentsOf: scratch.path("model.onnx"), prefersLogits: false)
    let network = try NeuralNetwork(source.graph)
    let file = scratch.path("out.onnx")
    let summary = try ONNXWriter(outputName: source.graph.outputName).write(network, to: file)
    #expect(summary.opset == 17)
    let found = try NeuralNetwork(contentsOf: file)
    #expect(found.graph.nodes.map(\.name) == network.graph.nodes.map(\.name))
    #expect(found.graph.nodes.map(\.aliases) == network.graph.nodes.map(\.aliases))
    #expect(try ONNXFile(contentsOf: file, prefersLogits: false).graph.outputName == source.graph.outputName)
    let input = Seeded.tensor(network.exampleInputShape(), seed: 3)
    // The same operators with the same weights give the same bits.
    #expect(try Executor(found).logits(input) == Executor(network).logits(input))
    for node in found.graph.nodes { Self.expectMapped(node.operation, alignment: 4096) }
  }

  /// Weights of 1 KiB and more are in the mapped file, at addresses that are multiples of `alignment`.
  static func expectMapped(_ operation: any RelevanceKit.Operator, alignment: Int) {
    let tensors: [Tensor?]
    switch operation {
    case let layer as Convolution: tensors = [layer.weight, layer.bias]
    case let layer as Linear: tensors = [layer.weight, layer.bias]
    default: return
    }
    for tensor in tensors.compactMap({ $0 }) where tensor.count >= 256 {
      #expect(!tensor.storage.writable)
      tensor.withUnsafeElements { #expect(Int(bitPattern: $0.baseAddress!) % alignment == 0) }
    }
  }

  /// Along an axis of extent 1, a softmax is 1 everywhere. It must keep this axis.
  @Test(arguments: [-1, 1, 2, 3], [false, true]) func softmaxKeepsItsAxis(axis: Int, isLogarithm: Bool) throws {
    let scratch = try Fixtures.Scratch()
    var builder = GraphBuilder(item: [3, 1, 4])
    builder.add("relu", .relu)
    builder.add("softmax", Softmax(axis: axis, joinsTrailingAxes: false, isLogarithm: isLogarithm))
    builder.add("twice", .multiply, Node.ID(2), builder.constant("c", Tensor(shape: [1], elements: [2])))
    let network = try builder.network()
    let file = scratch.path("out.onnx")
    try ONNXWriter(placement: .inside, outputName: "twice").write(network, to: file)
    let x = Seeded.tensor([1, 3, 1, 4], seed: 3)
    let again = try NeuralNetwork(contentsOf: file, output: "twice")
    #expect(try Self.output(of: again, x) == Self.output(of: network, x))
  }

  @Test func weightsInsideAreUsedInPlace() throws {
    let scratch = try Fixtures.Scratch()
    for sample in SampleNetwork.allCases {
      let network = try sample.network()
      try ONNXWriter(placement: .inside).write(network, to: scratch.path("out.onnx"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["out.onnx"])
      let found = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
      for node in found.graph.nodes { Self.expectMapped(node.operation, alignment: 4) }
      let input = SampleNetwork.input(batch: 2)
      #expect(try Executor(found).logits(input) == Executor(network).logits(input))
    }
  }

  @Test func halvesAreTheNearest() throws {
    let scratch = try Fixtures.Scratch()
    let exact: [Float] = [0, -0.0, 1, -2, 65504, 0x1p-24, 0x1p-14, 0x1.ff8p-15, 1.5]
    let rounded: [(Float, Float)] = [
      (1 + 0x1p-11, 1), (1 + 0x3p-11, 1 + 0x1p-9), (0x1p-25, 0), (0x3p-25, 0x1p-23), (0x1.8p-24, 0x1p-23),
      (-0.1, -0.0999755859375), (0x1p-30, 0),
    ]
    let values = exact + rounded.map(\.0)
    let repeated = (0..<20).flatMap { _ in values }
    let weight = Tensor(shape: [values.count, 20], elements: repeated)
    var builder = GraphBuilder(item: [20])
    builder.add("fc", .linear(Linear(weight: weight, bias: nil)))
    let summary = try ONNXWriter(halvesWeights: true).write(try builder.network(), to: scratch.path("out.onnx"))
    #expect(summary.weightBytes == 2 * weight.count)
    let found = try NeuralNetwork(contentsOf: scratch.path("out.onnx"))
    guard let linear = found.graph.nodes[1].operation as? Linear else {
      Issue.record("no linear layer")
      return
    }
    let expected = exact + rounded.map(\.1)
    #expect(linear.weight.elements.prefix(values.count).map(\.bitPattern) == expected.map(\.bitPattern))
  }

  @Test func failedWritesLeaveNothingBehind() throws {
    let scratch = try Fixtures.Scratch()
    let file = scratch.path("out.onnx")
    var builder = GraphBuilder(item: [300])
    builder.add("fc", .linear(Linear(weight: Tensor(shape: [2, 300], repeating: 70000), bias: nil)))
    let network = try builder.network()
    let error = #expect(throws: ONNXError.self) { try ONNXWriter(halvesWeights: true).write(network, to: file) }
    #expect(
      error?.description
        == "\(file): tensor fc.weight.half: 70000.0 exceeds the range of FLOAT16; expected at most 65504")
    struct Stop: Error {}
    #expect(throws: Stop.self) { try ONNXWriter().write(network, to: file) { _ in throw Stop() } }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == [])
    try Data("before".utf8).write(to: URL(fileURLWithPath: file))
    #expect(throws: Stop.self) { try ONNXWriter().write(network, to: file) { _ in throw Stop() } }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "before")
    try ONNXWriter().write(network, to: file)
    #expect(
      Set(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path)) == ["out.onnx", "out.onnx.data"])
  }

  static func output(of network: NeuralNetwork, _ input: Tensor) throws -> Tensor {
    try Executor(network).trace(input).value(of: network.graph.output)
  }
}
