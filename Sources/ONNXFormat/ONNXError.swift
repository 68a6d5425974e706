import RelevanceSupport

/// An error that describes in one line why an ONNX file cannot be read or written.
package enum ONNXError: RelevanceKitError, Equatable {
  case file(String, reason: String, category: ErrorCategory = .badData)
  case unreadable(String, reason: String)
  case empty(String)
  case unsupported(file: String, nodes: [UnsupportedNode])
  case tensor(file: String, name: String, reason: String)
  case openInputs(file: String, [String], others: [String])
  case noSuchOutput(file: String, name: String, suggestion: String?, outputs: [String])
  case missingExternalData(file: String, tensor: String, path: String)

  static func damaged(_ file: String, _ reason: String) -> ONNXError {
    .file(file, reason: "not an ONNX model, or damaged: \(reason)")
  }

  /// A node that cannot be imported. The reason is nil if no node of the operator is supported.
  package struct UnsupportedNode: Hashable, Sendable {
    package let op: String
    package let name: String
    package let reason: String?

    package init(_ op: String, name: String, reason: String?) {
      (self.op, self.name, self.reason) = (op, name, reason)
    }
  }

  package var category: ErrorCategory {
    switch self {
    case .file(_, _, let category): category
    case .unreadable, .missingExternalData: .missingInput
    case .noSuchOutput: .usage
    default: .badData
    }
  }

  package var description: String {
    switch self {
    case .file(let file, let reason, _): "\(file): \(reason)"
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .empty(let file): "\(file): the file is empty; expected an ONNX model"
    case .unsupported(let file, let nodes): "\(file): \(UnsupportedNodeList(nodes))"
    case .tensor(let file, let name, let reason): "\(file): tensor \(shown(name)): \(reason)"
    case .openInputs(let file, let inputs, let others):
      "\(file): the graph has \(inputs.count) inputs, \(inputs.joined(separator: ", ")); expected one image and values "
        + "for " + others.map { shown($0) }.joined(separator: ", ")
    case .noSuchOutput(let file, let name, let suggestion, let outputs):
      "\(file): no output or node is named \(shown(name))"
        + (suggestion.map { "; did you mean \(shown($0))?" }
          ?? "; the outputs are \(outputs.map { shown($0) }.joined(separator: ", "))")
    case .missingExternalData(let file, let tensor, let path):
      "\(file): tensor \(shown(tensor)): the data file \(path) does not exist"
    }
  }
}

/// A name from a file as messages show it: shortened if it is very long.
func shown(_ name: String) -> String {
  let longest = 120
  return name.utf8.count <= longest ? name : "\(name.prefix(longest))…"
}

/// A defect of a node or tensor. The importer adds the file and the node.
struct Defect: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// An unsupported use of a known operator. The importer adds the file and the node, and collects all such errors.
struct Unsupported: Error {
  /// The unsupported property; nil if the operator itself is not supported.
  let reason: String?
  init(_ reason: String?) { self.reason = reason }
}

/// Marks a node that cannot be read only because it uses the output of an unsupported node, which is already reported.
struct Consequence: Error {}
