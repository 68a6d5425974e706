import Networks
import Propagation
import Tensors

extension Trace {
  /// The layer that Grad-CAM and its kin look at if none is named: the last node with positions whose value all classes read.
  ///
  /// That is a node of batch × channels × height × width with more than one position, which all paths from the input to the
  /// logits pass, behind the first layer with weights and before the last ones: behind an activation however it is written,
  /// and behind the sum of a residual block rather than inside of its branch. Where the last layer with weights is a
  /// convolution whose maps are averaged (SqueezeNet), it is what that convolution reads. A pooling at the end is left out,
  /// since it only has fewer positions. If there is none (one convolution and a mean), it is the last node behind all layers
  /// with weights, and without that the last convolution.
  ///
  /// - Throws: `ExplanationError.noSpatialLayer` if there is none.
  /// - Complexity: O(nodes and edges).
  public func defaultCAMLayer(for method: some AttributionMethod = .gradCAM) throws -> String {
    let network = plan.network
    let graph = network.graph
    let channels = network.channelAxes(forward.plan.analysis.inferred)
    func hasPositions(_ id: Node.ID) -> Bool {
      let shape = forward.shape(of: id)
      return shape.rank == 4 && shape[2] * shape[3] > 1 && channels[id.index] == 1
    }
    let reachable = network.nodes(reaching: network.logits)
    let first = reachable.first { graph[$0].operation.isWeighted }
    let last = network.outermostWeightedNodes(before: network.logits).last.min()
    // Of a node that all paths pass, whatever has a smaller place in the graph's order comes before it.
    let candidates = network.dominators(of: network.logits).filter { $0 >= first ?? graph.output && hasPositions($0) }
    let chosen =
      candidates.last { id in last.map { id < $0 } ?? false } ?? candidates.last
      ?? reachable.last { graph[$0].operation.kind == .conv && hasPositions($0) }
    guard var id = chosen else { throw ExplanationError.noSpatialLayer(method: method.name) }
    while [.maxPool, .averagePool].contains(graph[id].operation.kind), let operand = graph[id].inputs.first,
      operand >= first ?? operand, hasPositions(operand)
    { id = operand }
    return graph[id].name
  }
}
