import Foundation
import Networks
import Support
import Tensors

/// Reading of ONNX models: opset 7 to 28, weights inside the file or in files beside it.
public enum ONNXFile {
  /// The name that a model has in a folder of its own.
  public static let defaultName = "model.onnx"

  /// The opsets that are read.
  public static var opsets: ClosedRange<Int> { OperatorRegistry.opsets }

  /// The names of ONNX's operators that can be imported, sorted. What an operator's node may still lack is said when one is read.
  public static var operators: [String] { OperatorRegistry.builders.keys.sorted() }

  /// Reads the graph of a model file, or of `model.onnx` in a folder.
  ///
  /// The file is mapped, and so are the files with its external data: weights that are FLOAT and aligned to 4 bytes are
  /// used where they are, without a copy. The graph keeps these mappings alive.
  ///
  /// - Parameters:
  ///   - file: the file, or the folder.
  ///   - output: which value is the result: the name of one of the file's outputs, or of any node. Nil means the first output,
  ///     unless another is more like logits: one that weighted layers compute of the first, or one that ends in a softmax or
  ///     sigmoid where the first does not.
  /// - Throws: `RelevanceKitError`, which names every unsupported node at once.
  public static func readGraph(_ file: some FileLocation, output: String? = nil) throws -> Graph {
    try readGraph(file, output: output, inputs: GivenInputs())
  }

  package static func readGraph(_ file: some FileLocation, output: String?, inputs: GivenInputs) throws -> Graph {
    try GraphImporter.graph(
      of: try openModel(file.fileSystemPath), output: output.map { .named($0) } ?? .preferred, inputs: inputs)
  }

  /// Opens a model file, or `model.onnx` in a folder.
  static func openModel(_ path: String) throws -> Model {
    let path = modelPath(path)
    let folder = (path as NSString).deletingLastPathComponent
    return try Model(try MappedFile(path), folder: folder.isEmpty ? "." : folder)
  }

  /// Reads the graph of a model that is in memory.
  ///
  /// `name` is what errors call it; `folder` is where its external data is, nil if it may have none. `output` is as for a file.
  ///
  /// - Throws: `RelevanceKitError`.
  public static func readGraph(
    _ bytes: [UInt8], name: String = "model", folder: String? = nil, output: String? = nil
  ) throws -> Graph {
    try GraphImporter.graph(
      of: try Model(try MappedFile(copying: bytes, name: name), folder: folder),
      output: output.map { .named($0) } ?? .preferred)
  }

  /// The file that a path means: itself, or `model.onnx` in a folder.
  package static func modelPath(_ path: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return path }
    return (path as NSString).appendingPathComponent(defaultName)
  }
}

extension NeuralNetwork {
  /// Reads a network from an ONNX file, or from `model.onnx` in a folder.
  ///
  /// - Parameters:
  ///   - file: the file, or the folder.
  ///   - output: which value is the result: one of the file's outputs, or any node, by name; nil means as in `ONNXFile.readGraph`.
  ///   - inputs: the values of inputs by name, for a network with several: all that the output depends on but one, the image.
  /// - Throws: `RelevanceKitError` for a file that is missing, damaged or not supported, that does not take one image, or that has no such
  ///   output or inputs.
  public init(contentsOf file: some FileLocation, output: String? = nil, inputs: [String: Tensor] = [:]) throws {
    try self.init(contentsOf: file, output: output, inputs: GivenInputs(inputs))
  }

  package init(contentsOf file: some FileLocation, output: String?, inputs: GivenInputs) throws {
    let graph = try ONNXFile.readGraph(file, output: output, inputs: inputs)
    try self.init(graph, file: ONNXFile.modelPath(file.fileSystemPath))
  }

  /// Reads a network from the bytes of an ONNX file.
  ///
  /// `name` is what errors call it; `folder` is where its external data is, nil if it may have none.
  ///
  /// `output` is as for a file.
  ///
  /// - Throws: As `init(contentsOf:output:)`.
  public init(onnx bytes: [UInt8], name: String = "model", folder: String? = nil, output: String? = nil) throws {
    try self.init(ONNXFile.readGraph(bytes, name: name, folder: folder, output: output), file: name)
  }

  /// Checks that there is something to explain.
  ///
  /// - Throws: `RelevanceKitError` if the output does not depend on what the input holds.
  package func requireDependenceOnInput(file: String) throws {
    guard !nodes(reaching: graph.output).contains(input) else { return }
    throw ONNXError.model(
      file: file,
      reason:
        "its output \(shown(outputName)) does not depend on the values of its input \(shown(graph[input].name)), so there "
        + "is nothing to explain; expected one that does"
        + (outputNames.count > 1 ? ", of the outputs \(outputNames.map { shown($0) }.joined(separator: ", "))" : ""))
  }

  /// Brings the graph of a file into canonical form; errors name the file.
  ///
  /// - Throws: `RelevanceKitError`.
  package init(_ graph: Graph, file: String) throws {
    do { try self.init(graph) } catch let error as GraphError {
      throw ONNXError.model(file: file, reason: error.description)
    }
  }
}
