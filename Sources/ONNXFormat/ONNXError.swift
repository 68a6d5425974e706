import Support

/// Why an ONNX file cannot be used.
public enum ONNXError: RelevanceKitError, Equatable {
  /// There is no file at the path.
  case missing(String)
  /// The file is there but cannot be read.
  case unreadable(String, reason: String)
  /// The file holds nothing.
  case empty(String)
  /// The bytes are no ONNX model, or a damaged one.
  case damaged(file: String, reason: String)
  /// The model as a whole is not one that can be imported.
  case model(file: String, reason: String)
  /// Nodes whose operators are not supported, or not used like this: all of them.
  case unsupported(file: String, nodes: [UnsupportedNode])
  /// A node that ONNX does not allow.
  case node(file: String, name: String, operator: String, reason: String)
  /// A constant tensor that cannot be read.
  case tensor(file: String, name: String, reason: String)
  /// No output or node has the name that was asked for; the file's own outputs are listed.
  case noSuchOutput(file: String, name: String, suggestion: String?, outputs: [String])
  /// The file that holds a tensor's elements is missing.
  case missingExternalData(file: String, tensor: String, path: String)

  /// A node that cannot be imported.
  public struct UnsupportedNode: Hashable, Sendable {
    /// The operator, with its domain if that is not ONNX's own.
    public let `operator`: String
    /// The node's name.
    public let name: String
    /// What about the node is not supported, if it is not the operator as such.
    public let reason: String?

    /// Names a node.
    public init(`operator`: String, name: String, reason: String?) {
      (self.operator, self.name, self.reason) = (`operator`, name, reason)
    }
  }

  /// Whether something is missing, there and wrong, or asked for by a wrong name.
  public var category: ErrorCategory {
    switch self {
    case .missing, .unreadable, .missingExternalData: .missingInput
    case .noSuchOutput: .usage
    default: .badData
    }
  }

  /// One line: what is wrong where, what was expected and what found.
  public var description: String {
    switch self {
    case .missing(let file): "\(file): there is no such file"
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .empty(let file): "\(file): the file is empty; expected an ONNX model"
    case .damaged(let file, let reason): "\(file): not an ONNX model, or a damaged one: \(reason)"
    case .model(let file, let reason): "\(file): \(reason)"
    case .unsupported(let file, let nodes): "\(file): \(UnsupportedNodeList(nodes))"
    case .node(let file, let name, let op, let reason): "\(file): node \(shown(name)) (\(shown(op))): \(reason)"
    case .tensor(let file, let name, let reason): "\(file): tensor \(shown(name)): \(reason)"
    case .noSuchOutput(let file, let name, let suggestion, let outputs):
      "\(file): no output or node is named \(shown(name))"
        + (suggestion.map { "; did you mean \(shown($0))?" }
          ?? "; its outputs are \(outputs.map { shown($0) }.joined(separator: ", "))")
    case .missingExternalData(let file, let tensor, let path):
      "\(file): tensor \(shown(tensor)): its data is in \(path), which does not exist"
    }
  }
}

/// A name from a file as a message shows it: cut if it is very long.
func shown(_ name: String) -> String {
  let longest = 120
  return name.utf8.count <= longest ? name : "\(name.prefix(longest))…"
}

/// What is wrong with a node or tensor; the importer adds where.
struct Defect: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// A use of a known operator that the package does not support; the importer adds where, and collects all of them.
struct Unsupported: Error {
  /// What is not supported; nil if it is the operator as such.
  let reason: String?
  init(_ reason: String?) { self.reason = reason }
}

/// A node that cannot be read only because it takes what a node makes that is not supported, which is reported already.
struct Consequence: Error {}
