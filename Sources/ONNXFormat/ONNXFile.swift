import Foundation
import Networks

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
  /// - Throws: `ONNXError`, which names every unsupported node at once.
  public static func readGraph(_ path: String) throws -> Graph {
    try GraphImporter.graph(of: try openModel(path))
  }

  /// Opens a model file, or `model.onnx` in a folder.
  static func openModel(_ path: String) throws -> Model {
    let path = modelPath(path)
    let folder = (path as NSString).deletingLastPathComponent
    return try Model(try MappedFile(path), folder: folder.isEmpty ? "." : folder)
  }

  /// Reads the graph of a model that is in memory.
  ///
  /// `name` is what errors call it; `folder` is where its external data is, nil if it may have none.
  ///
  /// - Throws: `ONNXError`.
  public static func readGraph(_ bytes: [UInt8], name: String = "model", folder: String? = nil) throws -> Graph {
    try GraphImporter.graph(of: try Model(try MappedFile(copying: bytes, name: name), folder: folder))
  }

  private static func modelPath(_ path: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return path }
    return (path as NSString).appendingPathComponent(defaultName)
  }
}

extension Network {
  /// Reads a network from an ONNX file, or from `model.onnx` in a folder.
  ///
  /// - Throws: `ONNXError` for a file that is missing, damaged or not supported, `GraphError` for a graph that is not one
  ///   image in, one result out.
  public init(contentsOf path: String) throws {
    try self.init(ONNXFile.readGraph(path))
  }

  /// Reads a network from the bytes of an ONNX file.
  ///
  /// `name` is what errors call it; `folder` is where its external data is, nil if it may have none.
  ///
  /// - Throws: As `init(contentsOf:)`.
  public init(onnx bytes: [UInt8], name: String = "model", folder: String? = nil) throws {
    try self.init(ONNXFile.readGraph(bytes, name: name, folder: folder))
  }
}
