import Support

/// Why an ONNX file cannot be used.
package enum ONNXError: RelevanceKitError, Equatable {
  case missing(String)
  case unreadable(String, reason: String)
  case empty(String)
  case damaged(file: String, reason: String)
  case model(file: String, reason: String)
  case unsupported(file: String, nodes: [UnsupportedNode])
  case node(file: String, name: String, operator: String, reason: String)
  case tensor(file: String, name: String, reason: String)
  case openInputs(file: String, [String], others: [String])
  case noSuchOutput(file: String, name: String, suggestion: String?, outputs: [String])
  case missingExternalData(file: String, tensor: String, path: String)

  /// A node that cannot be imported.
  package struct UnsupportedNode: Hashable, Sendable {
    /// The operator, with its domain if that is not ONNX's own.
    package let `operator`: String
    /// The node's name.
    package let name: String
    /// What about the node is not supported, if it is not the operator as such.
    package let reason: String?

    /// Names a node.
    package init(`operator`: String, name: String, reason: String?) {
      (self.operator, self.name, self.reason) = (`operator`, name, reason)
    }
  }

  /// Whether something is missing, there and wrong, or asked for by a wrong name.
  package var category: ErrorCategory {
    switch self {
    case .missing, .unreadable, .missingExternalData: .missingInput
    case .noSuchOutput: .usage
    default: .badData
    }
  }

  /// One line: what is wrong where, what was expected and what found.
  package var description: String {
    switch self {
    case .missing(let file): "\(file): there is no such file"
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .empty(let file): "\(file): the file is empty; expected an ONNX model"
    case .damaged(let file, let reason): "\(file): not an ONNX model, or a damaged one: \(reason)"
    case .model(let file, let reason): "\(file): \(reason)"
    case .unsupported(let file, let nodes): "\(file): \(UnsupportedNodeList(nodes))"
    case .node(let file, let name, let op, let reason): "\(file): node \(shown(name)) (\(shown(op))): \(reason)"
    case .tensor(let file, let name, let reason): "\(file): tensor \(shown(name)): \(reason)"
    case .openInputs(let file, let inputs, let others):
      "\(file): the graph has \(inputs.count) inputs, \(inputs.joined(separator: ", ")); expected one image, and values for "
        + others.map { shown($0) }.joined(separator: ", ")
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
