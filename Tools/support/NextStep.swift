import RelevanceKit

/// The next step after an error; nil if the description of the error contains it.
func nextStep(after error: any RelevanceKitError) -> String? {
  switch error {
  case ONNXError.unsupported(_, let nodes):
    nodes.contains { $0.reason == nil } ? "relevance list operators prints the supported ones" : nil
  case ONNXError.openInputs(_, _, let others):
    "set it with --input \(others[0])=FILE.npy" + (others.count > 1 ? ", and the others in the same way" : "")
  case ONNXError.missingExternalData: "put it beside the model under this name"
  case GraphError.noSuchNode(_, suggestion: nil), ONNXError.noSuchOutput(_, _, suggestion: nil, _):
    "relevance inspect lists the nodes"
  case RuleTableError.unmatched: "add rows for them, or the line \"extends: default\""
  default: nil
  }
}
