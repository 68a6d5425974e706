import Execution
import Networks
import Tensors

extension Networks.Operator {
  /// Whether the operator is `max(x, 0)` of one operand, or the smaller of that and a constant.
  fileprivate var isRectifier: Bool {
    switch self {
    case let function as any ElementwiseFunction: function.isRectifier
    case let relu as ParametricRelu: relu.slope.isZero
    default: false
    }
  }
}

extension Layer {
  /// The operand of which the node is a rectifier; nil if it is none.
  var rectifiedOperand: Int? {
    if node.operation.isRectifier { return 0 }
    guard node.operation is Maximum else { return nil }
    return operands.indices.first { site.operandIsLive[$0] && !site.operandIsLive[1 - $0] && operands[1 - $0].isZero }
  }
}

extension RulePlan {
  /// The activations between input and logits that guided backpropagation and DeconvNet know, and those that they treat like
  /// any other function.
  ///
  /// - Complexity: O(nodes and edges, and elements of constants).
  package func activations() -> (rectifiers: [Node], others: [Node]) {
    let graph = network.graph
    let known = (try? network.analysis(forInput: network.exampleInputShape()))?.inferred ?? []
    func isZero(_ id: Node.ID) -> Bool {
      known.indices.contains(id.index) && known[id.index].literal?.floats.isZero == true
    }
    var rectifiers: [Node] = []
    var others: [Node] = []
    for id in network.nodes(reaching: network.logits) {
      let node = graph[id]
      let isMaximum = node.operation is Maximum && node.inputs.contains(where: isZero)
      if node.operation.isRectifier || isMaximum {
        rectifiers.append(node)
      } else if node.kind.role == .activation || node.kind == .erf {
        others.append(node)
      }
    }
    return (rectifiers, others)
  }
}

extension Tensor {
  /// Whether all elements are 0.
  fileprivate var isZero: Bool { withUnsafeElements { $0.allSatisfy { $0 == 0 } } }
}
