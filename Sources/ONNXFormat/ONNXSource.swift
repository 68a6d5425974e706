import COnnx
import Foundation
import Networks

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
  /// The nodes that the output depends on, in the order of the file.
  public let nodes: [Node]
  /// The file and the files beside it that hold its tensors.
  public let files: [String]

  /// Reads a model file, or `model.onnx` in a folder.
  ///
  /// - Throws: As `ONNXFile.readGraph`.
  public init(contentsOf path: String) throws {
    let model = try ONNXFile.openModel(path)
    graph = try GraphImporter.graph(of: model)
    let message = model.graph!
    outputName = messages(message.pointee.n_output, message.pointee.output).first.map { text($0.pointee.name) } ?? ""
    nodes = LiveNodes(of: message, result: outputName).nodes.map { node in
      let outputs = texts(node.pointee.n_output, node.pointee.output)
      let op = text(node.pointee.op_type)
      let name = text(node.pointee.name)
      return Node(operator: op, name: name.isEmpty ? outputs.first { !$0.isEmpty } ?? op : name, outputs: outputs)
    }
    files = [model.file] + model.external.paths
    withExtendedLifetime(model) {}
  }

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
