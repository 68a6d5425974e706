import Tensors

extension Network {
  /// For each node whether its values can be told to be ≥ 0 from the graph alone.
  ///
  /// Rules that are defined for rectified inputs need no case for negative ones where this holds.
  ///
  /// - Complexity: O(nodes and edges, and elements of constants).
  public func nonNegativeNodes() -> [Bool] {
    var result: [Bool] = []
    let kinds = graph.elementKinds
    for (index, node) in graph.nodes.enumerated() {
      let operands = node.inputs.map { result[$0.index] }
      let first = operands.first ?? false
      // What wraps can get any sign that its type has.
      if node.operation.isStepwise(of: node.inputs.map { kinds[$0.index] }) {
        result.append(kinds[index].integerType?.isSigned == false || kinds[index] == .truth)
        continue
      }
      switch node.operation {
      case .relu, .softmax, .shape: result.append(true)
      case .constant(let value): result.append(value.withUnsafeElements { $0.allSatisfy { $0 >= 0 } })
      case .integers(let value): result.append(value.elements.allSatisfy { $0 >= 0 })
      case .concat, .add, .multiply, .binary(.divide), .binary(.power), .binary(.minimum):
        result.append(operands.allSatisfy { $0 })
      case .binary(.maximum): result.append(operands.contains(true))
      case .unary(let function): result.append(function.isNonNegative || function.keepsNonNegative && first)
      case .pad(let pad): result.append(first && pad.value >= 0)
      // Further operands of these hold extents and positions.
      case .maxPool, .averagePool, .mean, .localResponseNormalization, .flatten, .reshape, .transpose, .squeeze,
        .unsqueeze, .dropout, .identity, .parametricRelu, .slice, .part, .gather, .expand, .reduce, .resize, .cast:
        result.append(first)
      case .input, .convolution, .linear, .batchNormalization, .logSoftmax, .binary(.subtract), .transposedConvolution,
        .layerNormalization, .arithmetic:
        result.append(false)
      }
    }
    return result
  }

  /// The weighted nodes that no other weighted node comes before on the way from the input, and those that none comes
  /// after on the way to `target`: the first and last layers by data flow.
  ///
  /// - Complexity: O(nodes and edges).
  public func outermostWeightedNodes(before target: Node.ID) -> (first: Set<Node.ID>, last: Set<Node.ID>) {
    let reachable = nodes(reaching: target)
    var hasWeightedAncestor = [Bool](repeating: false, count: graph.nodes.count)
    var hasWeightedDescendant = hasWeightedAncestor
    for id in reachable {
      hasWeightedAncestor[id.index] = graph[id].inputs.contains {
        hasWeightedAncestor[$0.index] || graph[$0].operation.isWeighted
      }
    }
    for id in reachable.reversed() {
      let passesOn = hasWeightedDescendant[id.index] || graph[id].operation.isWeighted
      for operand in graph[id].inputs where passesOn { hasWeightedDescendant[operand.index] = true }
    }
    let weighted = reachable.filter { graph[$0].operation.isWeighted }
    return (
      Set(weighted.filter { !hasWeightedAncestor[$0.index] }), Set(weighted.filter { !hasWeightedDescendant[$0.index] })
    )
  }
}
