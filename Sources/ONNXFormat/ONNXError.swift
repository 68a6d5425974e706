import RelevanceSupport

/// Why an ONNX file cannot be used, or written: one line with what is wrong where, what was expected and what found.
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
    .file(file, reason: "not an ONNX model, or a damaged one: \(reason)")
  }

  /// A node that cannot be imported; the reason is nil if that is so for any node of the operator.
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
