extension Network {
  /// For each node whether its values stay within limits whatever the input is, as those of a sigmoid do and what is made
  /// of them by scaling, shifting and moving.
  ///
  /// In a product such an operand is a gate, and the other one the signal.
  public func boundedNodes() -> [Bool] {
    var result: [Bool] = []
    for node in graph.nodes {
      let operands = node.inputs.map { result[$0.index] }
      let first = operands.first ?? false
      switch node.operation {
      case .constant, .integers, .softmax, .cast(.truth): result.append(true)
      case .unary(let function):
        switch function {
        case .sigmoid, .hardSigmoid, .tanh, .erf: result.append(true)
        case .clip(let lowest, let highest): result.append(first || lowest.isFinite && highest.isFinite && highest <= 1)
        case .exp, .log, .reciprocal: result.append(false)
        default: result.append(first)
        }
      case .add, .multiply, .binary(.subtract), .binary(.minimum), .binary(.maximum), .concat:
        result.append(operands.allSatisfy { $0 })
      case .relu, .maxPool, .averagePool, .mean, .flatten, .reshape, .transpose, .squeeze, .unsqueeze, .dropout,
        .identity, .parametricRelu, .pad, .slice, .part, .gather, .expand, .resize, .cast, .batchNormalization:
        result.append(first)
      default: result.append(false)
      }
    }
    return result
  }
}
