import RelevanceTensors

/// Replaces chains of Transpose, Slice, Gather and Reshape by one copy. Exporters write the heads of attention as such
/// chains.
struct MergeRearrangements: PredictionPass {
  func apply(to graph: PredictionGraph, _ inferred: [Inferred]) throws -> PredictionGraph {
    let chains = Chains(graph.graph, for: graph.results, inferred)
    guard !chains.copies.isEmpty else { return graph }
    var editor = PredictionGraphEditor(graph)
    for id in graph.graph.ids where chains.isUsed[id.index] || graph.graph[id].operation is Input {
      if let (source, view) = chains.copies[id] {
        editor.keep(id, as: StridedCopy(view: view), operands: [editor.current(source)])
      } else {
        editor.keep(id)
      }
    }
    return try editor.edited()
  }
}

/// The chains of a graph that are replaced.
private struct Chains {
  /// For the last nodes of chains, the node before the first one, and what is left of its values.
  private(set) var copies: [Node.ID: (source: Node.ID, view: StridedView)] = [:]
  /// Whether a node is computed.
  private(set) var isUsed: [Bool]

  private struct Chain {
    let source: Node.ID
    let view: StridedView
    /// The number of nodes that copy values.
    let copies: Int
  }

  init(_ graph: Graph, for results: [Node.ID], _ inferred: [Inferred]) {
    isUsed = Array(repeating: false, count: graph.nodes.count)
    // Values that are used other than by rearranging them.
    for id in results { isUsed[id.index] = true }
    for node in graph.nodes where !node.operation.rearranges {
      for operand in node.inputs { isUsed[operand.index] = true }
    }
    var chains: [Node.ID: Chain] = [:]
    for id in graph.ids where graph[id].operation.rearranges && inferred[id.index].literal == nil {
      let operand = graph[id].inputs[0]
      let copies = graph[id].operation.leavesElements(of: inferred[operand.index].shape) ? 0 : 1
      func extended(_ source: Node.ID, _ view: StridedView, _ before: Int) -> Chain? {
        view.rearranged(by: graph[id].operation, graph[id].inputs.map { inferred[$0.index] }, inferred[id.index].shape)
          .map { Chain(source: source, view: $0, copies: before + copies) }
      }
      if !isUsed[operand.index], let before = chains[operand] {
        chains[id] = extended(before.source, before.view, before.copies)
      }
      if chains[id] == nil {
        isUsed[operand.index] = true
        chains[id] = extended(operand, StridedView(of: inferred[operand.index].shape), 0)
      }
    }
    // Copies of whole runs or of columns of matrices are fast.
    for id in graph.ids where isUsed[id.index] {
      if let chain = chains[id], chain.copies > 1, chain.view.joinedAxes.contains(where: { $0.step == 1 }) {
        copies[id] = (chain.source, chain.view)
      }
    }
    isUsed = Array(repeating: false, count: graph.nodes.count)
    for id in results { isUsed[id.index] = true }
    for id in graph.ids.reversed() where isUsed[id.index] {
      for operand in copies[id].map({ [$0.source] }) ?? graph[id].inputs { isUsed[operand.index] = true }
    }
  }
}

extension Operator {
  /// Whether the operator selects or moves elements of its first operand without a constant.
  fileprivate var rearranges: Bool {
    switch self {
    case is any Reshaping, is Transpose, is Gather, is Slice, is Part: true
    default: false
    }
  }
}

extension StridedView {
  fileprivate func rearranged(
    by operation: any Operator, _ operands: [Inferred], _ output: TensorShape
  ) -> StridedView? {
    guard let selecting = operation as? any Selecting else { return reshaped(to: output) }
    return (try? selecting.selection(of: operands)).flatMap { selected(by: $0) }
  }
}
