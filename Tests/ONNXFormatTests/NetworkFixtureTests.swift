import Foundation
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import RelevanceTestSupport
import Testing

/// The networks in the form of both torchvision exporters, with weights of zeros.
@Suite struct NetworkFixtureTests {
  @Test(arguments: [
    ("alexnet-torchscript", ["Conv": 5, "Relu": 7, "MaxPool": 3, "AveragePool": 1, "Flatten": 1, "Gemm": 3]),
    ("alexnet-dynamo", ["Conv": 5, "Relu": 7, "MaxPool": 3, "AveragePool": 1, "Reshape": 1, "Gemm": 3]),
    ("vgg16-torchscript", ["Conv": 13, "Relu": 15, "MaxPool": 5, "AveragePool": 1, "Flatten": 1, "Gemm": 3]),
    ("vgg16-dynamo", ["Conv": 13, "Relu": 15, "MaxPool": 5, "AveragePool": 1, "Reshape": 1, "Gemm": 3]),
    ("alexnet-96", ["Conv": 5, "Relu": 7, "MaxPool": 3, "Flatten": 1, "Gemm": 3]),
    ("vgg16-96", ["Conv": 13, "Relu": 15, "MaxPool": 5, "Flatten": 1, "Gemm": 3]),
    (
      "googlenet-torchscript",
      ["Conv": 57, "Relu": 57, "MaxPool": 13, "Concat": 9, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1]
    ),
    (
      "googlenet-dynamo",
      ["Conv": 57, "Relu": 57, "MaxPool": 13, "Concat": 9, "GlobalAveragePool": 1, "Reshape": 1, "Gemm": 1]
    ),
    (
      "googlenet-batchnorm",
      [
        "Conv": 57, "BatchNormalization": 57, "Relu": 57, "MaxPool": 13, "Concat": 9, "GlobalAveragePool": 1,
        "Flatten": 1, "Gemm": 1,
      ]
    ),
    (
      "vgg16bn-kept",
      ["Conv": 13, "BatchNormalization": 13, "Relu": 15, "MaxPool": 5, "Flatten": 1, "Gemm": 3]
    ),
    (
      "resnet18-kept",
      [
        "Conv": 20, "BatchNormalization": 20, "Relu": 17, "MaxPool": 1, "Add": 8, "GlobalAveragePool": 1, "Flatten": 1,
        "Gemm": 1,
      ]
    ),
    (
      "googlenet-kept",
      [
        "Conv": 57, "BatchNormalization": 57, "Relu": 57, "MaxPool": 13, "Concat": 9, "GlobalAveragePool": 1,
        "Flatten": 1, "Gemm": 1,
      ]
    ),
  ])
  func loads(name: String, operators: [String: Int]) throws {
    let network = try Self.folder(of: name).readNetwork()
    var counts: [String: Int] = [:]
    for node in network.graph.nodes { counts[node.kind.name, default: 0] += 1 }
    #expect(counts.removeValue(forKey: "Input") == 1)
    #expect(counts == operators)
    #expect(network.graph[network.input].name == "input")
    #expect(network.graph[network.logits].operation.kind == .gemm)
    let shapes = try network.graph.shapes(forInput: network.exampleInputShape())
    #expect(shapes[network.logits.index] == [1, 1000])
  }

  @Test func namesAreFromTheFile() throws {
    let torchScript = try Self.folder(of: "alexnet-torchscript").readNetwork()
    #expect(torchScript.graph[torchScript.logits].name == "/classifier/classifier.6/Gemm")
    let dynamo = try Self.folder(of: "alexnet-dynamo").readNetwork()
    #expect(dynamo.graph[dynamo.logits].name == "node_linear_2")
  }

  @Test func biasesSharedThroughIdentityAreConstants() throws {
    let network = try Self.folder(of: "googlenet-torchscript").readNetwork()
    let biases = network.graph.nodes.compactMap { node -> Tensor? in
      if let convolution = node.operation as? Convolution { convolution.bias } else { nil }
    }
    #expect(biases.count == 57)
  }

  @Test func alignedExternalWeightsAreNotCopied() throws {
    let network = try Self.folder(of: "vgg16-dynamo").readNetwork()
    for node in network.graph.nodes {
      switch node.operation {
      case let convolution as Convolution: #expect(!convolution.weight.storage.writable)
      case let linear as Linear: #expect(!linear.weight.storage.writable)
      default: break
      }
    }
  }

  @Test func weightsOutliveTheLoader() throws {
    let network = try Self.folder(of: "alexnet-dynamo").readNetwork()  // The folder is gone by now.
    for node in network.graph.nodes {
      if let linear = node.operation as? Linear { #expect(linear.weight.largestMagnitude() == 0) }
    }
  }

  /// A folder with the fixture's graph and a file of zeros for its weights.
  static func folder(of name: String) throws -> ScratchFolder {
    struct Weights: Decodable {
      let file: String
      let bytes: Int
    }
    let weights = try JSONDecoder().decode(
      Weights.self, from: Fixtures.data("networks/\(name)/weights.json"))
    let folder = try ScratchFolder()
    try folder.write(Array(Fixtures.data("networks/\(name)/model.onnx")), as: "model.onnx")
    try folder.writeZeros(weights.bytes, as: weights.file)
    return folder
  }
}
