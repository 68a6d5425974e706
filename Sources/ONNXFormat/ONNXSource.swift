import Foundation
import Networks
import Tensors

/// A model file as it was read: its graph, and what the graph does not say of the file.
public struct ONNXSource: Sendable {
  /// A node of the file.
  public struct Node: Hashable, Sendable {
    /// The ONNX operator.
    public let `operator`: String
    /// The node's name, or that of its first output if it has none.
    public let name: String
    /// What its outputs are called.
    public let outputs: [String]
  }

  /// The graph.
  public let graph: Graph
  /// What the file calls the graph's output.
  public let outputName: String
  /// The nodes that the output depends on, operands first, otherwise in the order of the file.
  public let nodes: [Node]
  /// The file and the files beside it that hold its tensors.
  public let files: [String]

  /// Reads a model file, or `model.onnx` in a folder; `output` is the output, or node, whose value is the graph's, nil the first
  /// output, and `inputs` the values of inputs that are no image.
  ///
  /// - Throws: As `ONNXFile.readGraph`.
  public init(contentsOf path: String, output: String? = nil, inputs: [String: Tensor] = [:]) throws {
    let model = try ONNXFile.openModel(path)
    graph = try GraphImporter.graph(
      of: model, output: output.map { .named($0) } ?? .first, inputs: GivenInputs(inputs))
    outputName = graph.outputName
    let file = FileGraph(model.graph!)
    let choice = try OutputChoice(.named(outputName), of: file, aliases: model.aliases, file: model.file)
    nodes = try LiveNodes(of: file, results: [choice.value]).nodes.map {
      Node(
        operator: text($0.message.pointee.op_type), name: $0.name,
        outputs: texts($0.message.pointee.n_output, $0.message.pointee.output))
    }
    files = [model.file] + model.external.paths
    withExtendedLifetime(model) {}
  }

  /// The network of the graph; errors name the file.
  ///
  /// - Throws: `RelevanceKitError` for a graph that is not one image in, one result out.
  public func network() throws -> NeuralNetwork { try NeuralNetwork(graph, file: files[0]) }

  /// Whether a path, whatever it is spelled like, leads to one of the files that were read.
  public func wasRead(from path: String) -> Bool {
    var wanted = stat()
    guard stat(path, &wanted) == 0 else { return false }
    return files.contains { file in
      var found = stat()
      return stat(file, &found) == 0 && found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino
    }
  }
}
