import RelevanceExecution
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension Trace {
  /// The logits of the run if a node had other values.
  ///
  /// Only the part of the network after the node is computed, for several variations together. The effect of changed
  /// values on a decision does not depend on any rule, so it tests what explanations report about the node.
  ///
  /// - Parameters:
  ///   - node: the name of a node that the logits depend on, or of the input.
  ///   - variations: replacement values, each in the shape of the node's output, as `activation(at:)` returns it.
  /// - Returns: For each variation, logits in the shape of `logits`.
  /// - Throws: `RelevanceKitError` if there is no such node, if the logits do not depend on it, for values that are not
  ///   finite or have another shape, if logits are not finite, or if values do not fit into memory.
  /// - Complexity: for each variation, the part of a forward pass after the node.
  public func logits(replacing node: String, with variations: [Tensor]) throws -> [Tensor] {
    let id = try variable(named: node)
    let shape = forward.shape(of: id)
    for values in variations {
      guard values.shape == shape else {
        throw InterventionError.otherShape(node: node, expected: shape, found: values.shape)
      }
      guard values.isFinite else { throw InterventionError.notFinite(node: node) }
    }
    let turned = plan.network.graph[id].turned
    // The replacement values get the sign with which the node's values are stored.
    return try logits(variations.count, of: id) { turned?.restored(variations[$0], called: node) ?? variations[$0] }
  }

  /// The logits of the run if some channels of a node's output were 0.
  ///
  /// - Parameters:
  ///   - channels: sets of channels, each applied separately; an empty set changes nothing.
  ///   - node: the name of a node that the logits depend on, or of the input; its channels are those of a `Condition`.
  /// - Returns: For each set, logits in the shape of `logits`.
  /// - Throws: `RelevanceKitError` as `logits(replacing:with:)`, and if the node has no channels or lacks one of these.
  /// - Complexity: for each set, the part of a forward pass after the node.
  public func logits(settingToZero channels: [[Int]], of node: String) throws -> [Tensor] {
    let id = try variable(named: node)
    let (axis, count) = try self.channels(of: id)
    if let other = channels.joined().first(where: { !(0..<count).contains($0) }) {
      throw ConditionError.noSuchChannel(other, node: node, channels: count)
    }
    let values = forward.value(of: id)
    return try logits(channels.count, of: id) { values.settingToZero(channels[$0], along: axis) }
  }

  /// As `logits(settingToZero:of:)`, returned as class scores of the first item.
  package func scores(settingToZero channels: [[Int]], of node: String) throws -> [ClassScores] {
    try logits(settingToZero: channels, of: node).map { logits in
      let first = logits.part(0, of: batch).reshaped(to: TensorShape([classes, layout.positionCount]))
      return ClassScores(first, layout: layout)
    }
  }

  /// The number of channels of a node's output.
  ///
  /// - Throws: `RelevanceKitError` if there is no such node, if the logits do not depend on it, or if it has no
  ///   channels.
  package func channelCount(of node: String) throws -> Int { try channels(of: variable(named: node)).count }

  /// A node that the logits depend on.
  private func variable(named name: String) throws -> Node.ID {
    let graph = plan.network.graph
    let (id, logits) = (try graph.requiredNode(named: name), plan.network.logits)
    guard id != logits, graph.downstream(of: id)[logits.index],
      forward.plan.analysis.inferred[id.index].literal == nil
    else { throw InterventionError.notBefore(node: name, logits: graph[logits].name) }
    return id
  }

  /// The logits of `count` variations of a node's values, created and run in groups that fit into the memory budget.
  private func logits(_ count: Int, of id: Node.ID, variation: (Int) -> Tensor) throws -> [Tensor] {
    let executor = explainer.executor
    let perItem = forward.plan.shapes.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    // Larger batches are not faster.
    let most = min(count, 16, max(1, explainer.memoryBudget / max(perItem, 1)))
    let size = executor.variationsTogether(most, of: id, in: forward)
    return try Array(0..<count).groups(of: size).flatMap { group in
      try Task.checkCancellation()
      let values = try executor.logits(of: forward, replacing: id, with: group.map(variation))
      let items = group.count * batch
      let scores = (0..<items).map { layout.scores(ofItem: values.part($0, of: items)) }
      return scores.groups(of: batch).map { Tensor(joining: $0).reshaped(to: logits.shape) }
    }
  }
}

extension Tensor {
  /// A copy with 0 at some indices of an axis.
  fileprivate func settingToZero(_ indices: [Int], along axis: Int) -> Tensor {
    var result = self
    let (run, extent) = (shape.strides[axis], shape[axis])
    result.withUnsafeMutableElements { x in
      for start in stride(from: 0, to: x.count, by: run * extent) {
        for index in indices { x[start + index * run..<start + (index + 1) * run].update(repeating: 0) }
      }
    }
    return result
  }
}

/// A reason why the values of a node cannot be replaced.
package enum InterventionError: RelevanceKitError, Equatable {
  case notBefore(node: String, logits: String)
  case otherShape(node: String, expected: TensorShape, found: TensorShape)
  case notFinite(node: String)

  package var category: ErrorCategory { .usage }

  package var description: String {
    switch self {
    case .notBefore(let node, let logits):
      "the logits, which node \(logits) computes, do not depend on node \(node); expected a node between the input and "
        + "the logits"
    case .otherShape(let node, let expected, let found):
      "the replacement values of node \(node) have shape \(found); expected \(expected), the shape of its output"
    case .notFinite(let node): "the replacement values of node \(node) are NaN or infinite; expected finite values"
    }
  }
}
