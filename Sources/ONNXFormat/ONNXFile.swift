import Foundation
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// An ONNX model after reading: its graph, and the facts about the file that the graph does not contain. Supports
/// opsets 1 to 28, with weights inside the file or in files beside it.
package struct ONNXFile {
  /// The names of the ONNX operators that can be imported, sorted. Restrictions of a node are reported when one is
  /// read.
  package static var operators: [String] { OperatorRegistry.builders.keys.sorted() }

  package let graph: Graph
  /// The nodes of the file that the output depends on, operands first, otherwise in the order of the file.
  package let nodes: [FileGraph.Node]
  /// Notes on the parts of the file that the graph omits: decisions that end it and are removed.
  package let notes: [String]
  private let model: Model

  /// Reads a model file, or `model.onnx` in a folder or its folder `onnx`.
  ///
  /// The file is mapped, and so are the files with its external data: weights that are FLOAT and aligned to 4 bytes are
  /// used where they are, without a copy. The graph keeps these mappings alive.
  ///
  /// - Parameters:
  ///   - output: The value that is the result: an output of the file, or any node, by name. Nil is the first output.
  ///   - prefersLogits: Whether the default is another output if that one is more like logits.
  ///   - inputs: The values of inputs that are not the image.
  ///   - further: Outputs that are kept beside the result.
  ///   - mapped: Whether files are mapped. Otherwise they are read into memory.
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
      ? [] : ["\(model.file) ends in a decision that was removed: \(names); the scores before it are the output"]
  }

  /// The file and the files beside it that hold its tensors.
  package var files: [String] { [model.file] + model.external.paths }

  /// The metadata beside the graph, by key.
  package var metadata: [String: String] { model.metadata }

  /// The network of the graph. Errors name the file.
  package func network() throws -> NeuralNetwork {
    do { return try NeuralNetwork(graph) } catch let error as GraphError {
      throw ONNXError.file(model.file, reason: error.description)
    }
  }

  /// Whether a path, in any spelling, leads to one of the files that were read.
  package func wasRead(from path: String) -> Bool {
    guard let wanted = FileSystem.status(path) else { return false }
    return files.contains { file in
      FileSystem.status(file).map { $0.st_dev == wanted.st_dev && $0.st_ino == wanted.st_ino } ?? false
    }
  }
}

extension NeuralNetwork {
  /// Reads a network from an ONNX file, or from `model.onnx` in a folder or its subfolder `onnx`.
  ///
  /// Opsets 1 to 28 are supported, with weights inside the file or in files beside it.
  ///
  /// - Parameters:
  ///   - file: The file or folder.
  ///   - output: The value that is the result: an output of the file, or any node, by name. By default this is the
  ///     first output, unless another one is more like logits: one that weighted layers compute from the first output,
  ///     or one that ends in a softmax or sigmoid while the first does not.
  ///   - inputs: The values of inputs by name, for a network with several inputs: all that the output depends on except
  ///     one, the image.
  ///   - furtherOutputs: The names of other outputs of the file that are kept, so that their units can be targets too.
  ///   - mapped: Whether weights stay in the files and the system loads them on first use. Pass false if another
  ///     process may shorten the files while the network is in use, which would end this process with a bus error. The
  ///     files are then read into memory.
  /// - Throws: `RelevanceKitError` if the file is missing or damaged, does not take one image, has no such output or
  ///   inputs, or contains unsupported nodes. One error lists all unsupported nodes.
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
  /// `name` is the model's name in errors. `folder` contains its external data and is nil if the model may have none.
  /// `output` and `furtherOutputs` are the same as for a file.
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

  /// Checks that there is something to explain: the output must depend on the values of the input.
  package func requireDependenceOnInput(file: String) throws {
    guard !nodes(reaching: graph.output).contains(input) else { return }
    let names = graph.outputNames.map { shown($0) }.joined(separator: ", ")
    throw ONNXError.file(
      file,
      reason:
        "output \(shown(graph.outputName)) does not depend on the values of input \(shown(graph[input].name)), so "
        + "there is nothing to explain; expected an output that does"
        + (graph.outputNames.count > 1 ? ", of the outputs \(names)" : ""))
  }
}
