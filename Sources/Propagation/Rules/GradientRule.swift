import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

/// Gradient: relevance is multiplied by the derivatives of the node, as in training.
///
/// - Use: vanilla gradients; guided backpropagation and DeconvNet, which differ only at rectifiers.
/// - Definition: `R_i = Σ_j ∂y_j/∂x_i · R_j`, and 0 where values are rounded to integers or wrap as integers do. At a
///   rectifier `max(x, 0)`, `rectifier` selects where relevance passes: `gradient` where `x > 0`; `deconvolution` where
///   `R > 0`; `guided` where both are positive. Rectifiers are `Relu`, `Clip` with lowest 0 (which is `min(max(x, 0),
///   highest)`: nothing passes where `x ≥ highest`), `Max` with a constant 0, and `LeakyRelu`, `PRelu` and `Elu` with
///   slope 0. Other activations (LeakyReLU, ELU, SiLU, GELU, …) have their plain derivative, as in Captum, which
///   changes only modules `ReLU`. `AttributionMethod.warnings(under:)` names them.
/// - Its parameters: `rectifier`.
/// - Bias: none; a bias has no derivative.
/// - Conservation: none, because derivatives are not shares. Seeds are 1 instead of scores.
/// - Reference: *Simonyan14*; *Zeiler14* for DeconvNet; *Springenberg15* for guided backpropagation.
public struct GradientRule: NamedRule {
  public static let name = "gradient"
  public static let parameters: [Parameter<Self>] = [.init("rectifier", \.rectifier)]

  /// The relevance that rectifiers pass.
  public enum Rectifier: String, Hashable, ParameterValue, CaseIterable {
    /// Relevance where the input is positive.
    case gradient
    /// Positive relevance.
    case deconvolution
    /// Positive relevance where the input is positive.
    case guided
  }
  /// The relevance that rectifiers pass.
  public private(set) var rectifier: Rectifier

  public init() { rectifier = .gradient }
  /// Creates the rule.
  public init(rectifier: Rectifier) { self.rectifier = rectifier }

  public func objection(at site: RuleSite) -> String? {
    site.kind == .reduceProd ? "the derivative of a product over axes is not implemented" : nil
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let operation = layer.node.operation
    if layer.isStepwise || layer.site.kind.role == .decision { return layer.node.inputs.map { _ in nil } }
    switch operation {
    case _ where operation.keepsElements: return [layer.summed(relevance, to: layer.operandShapes[0])]
    case is any WeightedOperator, is BatchNormalization:
      return [layer.adjoint([(.all, nil)], times: relevance)]
    case is Relu: return [rectified(relevance, layer.output, layer)]
    case _ where rectifier != .gradient && layer.rectifiedOperand != nil:
      return rectifiedOperands(relevance, layer)
    case _ where layer.site.kind.role == .maximum || layer.site.kind == .reduceMin:
      return WinnerTakesAllRule(ties: .first).propagate(relevance, through: layer)
    case let function as any ElementwiseFunction:
      return [layer.scaled(relevance, by: layer.derivatives(of: function))]
    case let function as any PairwiseFunction: return layer.partials(relevance) { function.derivatives(at: $0, $1) }
    default:
      if let kernel = layer.kernel as? any DifferentiableKernel { return [layer.derivative(of: kernel, relevance)] }
      return layer.sentToOrigins(relevance, reachesDeciding: true)
    }
  }

  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] {
    site.steps.map {
      [RuleWarning(.derivativesOfSteps, $0, ": its derivative is 0, and no gradient passes through it")]
    } ?? []
  }

  /// The result for the operand that a node rectifies, for each operator that can be a rectifier; other operands
  /// receive nothing.
  private func rectifiedOperands(_ relevance: consuming Tensor, _ layer: Layer) -> [Tensor?] {
    guard let index = layer.rectifiedOperand else { return layer.operands.map { _ in nil } }
    var r = relevance
    let x = layer.operands[index].expanded(to: layer.outputShape)
    if let clip = layer.node.operation as? Clip {
      r = layer.scaled(r, by: x.map { $0 < clip.highest ? 1 : 0 })
    }
    let passed = layer.summed(rectified(r, x, layer), to: layer.operandShapes[index])
    return layer.operands.indices.map { $0 == index ? passed : nil }
  }

  /// The relevance that a rectifier passes; `y` is positive where the rectifier passes values.
  private func rectified(_ relevance: consuming Tensor, _ y: Tensor, _ layer: Layer) -> Tensor {
    var r = relevance
    layer.update(&r, with: y) { r, y in
      if rectifier != .deconvolution { r.mask(y) }
      if rectifier != .gradient { r.rectify() }
    }
    return r
  }
}

extension RelevanceNetworks.Operator {
  /// Whether the operator is `max(x, 0)` of one operand, or the minimum of that and a constant.
  fileprivate var isRectifier: Bool {
    switch self {
    case let function as any ElementwiseFunction: function.isRectifier
    case let relu as ParametricRelu: relu.slope.isZero
    default: false
    }
  }
}

extension Layer {
  /// The operand that the node rectifies; nil if the node is not a rectifier.
  var rectifiedOperand: Int? {
    if node.operation.isRectifier { return 0 }
    guard node.operation is Maximum else { return nil }
    return operands.indices.first { site.operandIsLive[$0] && !site.operandIsLive[1 - $0] && operands[1 - $0].isZero }
  }
}

extension RulePlan {
  /// The activations between input and logits: the rectifiers that guided backpropagation and DeconvNet treat
  /// specially, and the activations that they treat like other functions.
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
  fileprivate var isZero: Bool { withUnsafeElements { $0.allSatisfy { $0 == 0 } } }
}
