import Foundation
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// An ONNX model as it was read: its graph, and what the graph does not say of the file. Opsets 1 to 28, weights inside the file or in
/// files beside it.
package struct ONNXFile {
  /// The names of ONNX's operators that can be imported, sorted. What an operator's node may still lack is said when one is read.
  package static var operators: [String] { OperatorRegistry.builders.keys.sorted() }

  package let graph: Graph
  /// The nodes of the file that the output depends on, operands first, otherwise in the order of the file.
  package let nodes: [FileGraph.Node]
  /// What is said of the graph that is not all of the file: decisions that end it and are left out.
  package let notes: [String]
  private let model: Model

  /// Reads a model file, or `model.onnx` in a folder or its folder `onnx`.
  ///
  /// The file is mapped, and so are the files with its external data: weights that are FLOAT and aligned to 4 bytes are
  /// used where they are, without a copy. The graph keeps these mappings alive.
  ///
  /// - Parameters:
  ///   - output: which value is the result: one of the file's outputs, or any node, by name; nil means the first output.
  ///   - prefersLogits: whether, without a name, it is another output if that is more like logits.
  ///   - inputs: the values of inputs that are no image.
  ///   - further: outputs that are kept beside it.
  ///   - mapped: whether files are mapped; otherwise they are read into memory.
  package init(
    contentsOf path: String, output: String? = nil, prefersLogits: Bool = true, inputs: GivenInputs = GivenInputs(),
    further: FurtherOutputs = FurtherOutputs(), mapped: Bool = true
  ) throws {
    let names = ["model.onnx", "onnx/model.onnx"].map { PathText.join(path, $0) }
    let inside = names.first { FileSystem.exists($0) } ?? names[0]
    let file = FileSystem.isFolder(path) == true ? inside : path
    let model = try Model(
      MappedFile(file, maps: mapped), folder: PathText.parts(of: file).folder,
      linkedFolder: ExternalData.linkedFolder(of: file), maps: mapped)
    try self.init(model, output, prefersLogits: prefersLogits, inputs, further)
  }

  package init(
    _ bytes: [UInt8], name: String = "model", folder: String? = nil, output: String? = nil,
    further: FurtherOutputs = FurtherOutputs()
  ) throws {
    try self.init(
      Model(MappedFile(copying: bytes, name: name), folder: folder), output, prefersLogits: true, GivenInputs(), further
    )
  }

  private init(
    _ model: Model, _ output: String?, prefersLogits: Bool, _ inputs: GivenInputs, _ further: FurtherOutputs
  ) throws {
    self.model = model
    let leftOut: [FileGraph.Node]
    (graph, nodes, leftOut) = try GraphImporter.graph(
      of: model, output: output, prefersLogits: prefersLogits, inputs: inputs, further: further)
    let names = leftOut.map { "\(shown($0.name)) (\(shown($0.op)))" }.joined(separator: ", ")
    notes =
      leftOut.isEmpty
      ? [] : ["\(model.file) ends in a decision, which is left out: \(names); the scores before it are the output"]
  }

  /// The file and the files beside it that hold its tensors.
  package var files: [String] { [model.file] + model.external.paths }

  /// What is written beside the graph, by its key.
  package var metadata: [String: String] { model.metadata }

  /// The network of the graph; errors name the file.
  package func network() throws -> NeuralNetwork {
    do { return try NeuralNetwork(graph) } catch let error as GraphError {
      throw ONNXError.file(model.file, reason: error.description)
    }
  }

  /// Whether a path, whatever it is spelled like, leads to one of the files that were read.
  package func wasRead(from path: String) -> Bool {
    guard let wanted = FileSystem.status(path) else { return false }
    return files.contains { file in
      FileSystem.status(file).map { $0.st_dev == wanted.st_dev && $0.st_ino == wanted.st_ino } ?? false
    }
  }
}

extension NeuralNetwork {
  /// Reads a network from an ONNX file, or from `model.onnx` in a folder or its folder `onnx`: opset 1 to 28, weights inside the file or in files beside it.
  ///
  /// - Parameters:
  ///   - file: the file, or the folder.
  ///   - output: which value is the result: one of the file's outputs, or any node, by name. Nil means the first output,
  ///     unless another is more like logits: one that weighted layers compute of the first, or one that ends in a softmax or
  ///     sigmoid where the first does not.
  ///   - inputs: the values of inputs by name, for a network with several: all that the output depends on but one, the image.
  ///   - furtherOutputs: other outputs of the file that are kept, by name, so that their units can be targets too.
  ///   - mapped: whether weights stay in the files, from which the system loads them when they are first used. If another process may shorten
  ///     the files as long as the network is in use, which would end this one with a bus error, pass false: they are then read into memory.
  /// - Throws: `RelevanceKitError` for a file that is missing or damaged, that does not take one image, that has no such output or inputs,
  ///   or that has nodes that are not supported, all of which it names at once.
  public init(
    contentsOf file: some FileLocation, output: String? = nil, inputs: [String: Tensor] = [:],
    furtherOutputs: [String] = [], mapped: Bool = true
  ) throws {
    self = try ONNXFile(
      contentsOf: file.fileSystemPath, output: output, inputs: GivenInputs(inputs),
      further: FurtherOutputs(names: furtherOutputs), mapped: mapped
    ).network()
  }

  /// Reads a network from the bytes of an ONNX file.
  ///
  /// `name` is what errors call it; `folder` is where its external data is, nil if it may have none. `output` and `furtherOutputs`
  /// are as for a file.
  ///
  /// - Throws: As `init(contentsOf:output:)`.
  public init(
    onnx bytes: [UInt8], name: String = "model", folder: String? = nil, output: String? = nil,
    furtherOutputs: [String] = []
  ) throws {
    self = try ONNXFile(
      bytes, name: name, folder: folder, output: output, further: FurtherOutputs(names: furtherOutputs)
    ).network()
  }

  /// Checks that there is something to explain: that the output depends on what the input holds.
  package func requireDependenceOnInput(file: String) throws {
    guard !nodes(reaching: graph.output).contains(input) else { return }
    let names = graph.outputNames.map { shown($0) }.joined(separator: ", ")
    throw ONNXError.file(
      file,
      reason:
        "its output \(shown(graph.outputName)) does not depend on the values of its input \(shown(graph[input].name)), so "
        + "there is nothing to explain; expected one that does"
        + (graph.outputNames.count > 1 ? ", of the outputs \(names)" : ""))
  }
}
