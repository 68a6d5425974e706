import RelevanceNetworks
import RelevanceTensors

extension RulePlan {
  /// The affine nodes whose values reach only layers whose rules follow the signs of contributions, directly or through
  /// further affine nodes and rearrangements. The contributions of these layers have the signs that the affine nodes
  /// give them.
  static func nodesLeadingToLayers(_ assignments: [Assignment]) -> Set<Node.ID> {
    var consumers: [Node.ID: [Assignment]] = [:]
    var leading: Set<Node.ID> = []
    for assignment in assignments.reversed() {
      let site = assignment.site
      let all = consumers[site.id] ?? []
      let isLinear =
        assignment.rule.constants == .moved || site.isAffine && !site.offsets.belongsToLayerBefore[site.id.index]
      if isLinear, !all.isEmpty,
        all.allSatisfy({
          $0.site.node.operation.isWeighted && $0.rule.constants == .counted || leading.contains($0.site.id)
        })
      {
        leading.insert(site.id)
      }
      for operand in Set(site.node.inputs) { consumers[operand, default: []].append(assignment) }
    }
    return leading
  }
}

extension RuleSite {
  /// Whether the node scales and shifts one operand by constants.
  fileprivate var isAffine: Bool {
    switch node.operation {
    case is BatchNormalization, is Negate: true
    case is Add, is Multiply, is Subtract, is Divide: operandIsLive.count { $0 } == 1
    default: false
    }
  }

  /// How the node inverts signs, as the rest of a sentence; nil if it does not.
  var turnedSigns: String? {
    func negatives(_ tensor: Tensor, _ what: String, _ verb: String) -> String? {
      let count = tensor.withUnsafeElements { $0.count { $0 < 0 } }
      guard count > 0 else { return nil }
      return tensor.count == 1
        ? "\(verb) a negative \(what)" : "\(verb) a negative \(what) in \(count) of \(tensor.count) channels"
    }
    switch node.operation {
    case let parameters as BatchNormalization: return negatives(parameters.scale, "scale", "has")
    case let parameters as LayerNormalization: return negatives(parameters.scale, "scale", "has")
    case let relu as ParametricRelu: return negatives(relu.slope, "slope", "has")
    case let function as LeakyRelu: return function.alpha < 0 ? "has a negative slope" : nil
    case let function as Elu: return function.alpha < 0 ? "has a negative slope" : nil
    case is Negate: return "inverts every sign"
    case is Subtract: return operandIsLive == [false, true] ? "subtracts its operand from a constant" : nil
    case is Multiply, is Divide:
      guard let other = operandIsLive.firstIndex(of: false) else {
        guard kind == .mul else { return nil }
        let gates = operandLimits.indices.filter { operandLimits[$0].isFinite && !operandIsNonNegative[$0] }
        return gates.isEmpty
          ? nil
          : "multiplies by \(network.graph[node.inputs[gates[0]]].name), which depends on the input and can be negative"
      }
      let verb = kind == .mul ? "multiplies by" : "divides by"
      guard let value = (network.graph[node.inputs[other]].operation as? Constant)?.tensor else { return nil }
      guard let text = negatives(value, "constant", verb) else { return nil }
      return text
    default: return nil
    }
  }
}
