import RelevanceKit

/// What somebody can do about an error; nil where the error's own words say it.
func nextStep(after error: any RelevanceKitError) -> String? {
  switch error {
  case ONNXError.unsupported(_, let nodes):
    nodes.contains { $0.reason == nil } ? "relevance list operators names those that are" : nil
  case ONNXError.openInputs(_, _, let others):
    "--input \(others[0])=FILE.npy gives one" + (others.count > 1 ? ", for each of them" : "")
  case ONNXError.missingExternalData: "it belongs beside the model, under that name"
  case GraphError.noSuchNode(_, suggestion: nil), ONNXError.noSuchOutput(_, _, suggestion: nil, _):
    "relevance inspect lists the nodes"
  case RuleTableError.unmatched: "add rows for them, or the line \"extends: default\""
  default: nil
  }
}
