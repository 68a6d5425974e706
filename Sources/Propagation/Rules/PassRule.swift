import RelevanceNetworks
import RelevanceTensors

/// Pass: relevance passes unchanged.
///
/// - Use: rectifiers, normalization, dropout, and scaling or shifting by constants: nodes that map each element of one
///   operand to one element of the output.
/// - Definition: `R_i = R_i`. A constant factor s with a negative sign (batch normalization with a negative scale, Neg,
///   a product with a negative constant or a quotient by one, `c − x`) belongs to the layer whose output it scales:
///   when the network is created, the layer's weights take over the sign, `w ← sign(s)·w`, and |s| remains. If no layer
///   before the node can take over the sign, `s·x + b` belongs to the layers after it: their contributions are
///   `(s·x)·w`, and `b·w` is a bias. Otherwise relevance keeps its sign, and the plan contains a warning.
/// - Its parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact.
/// - Reference: *Gu18* §3.1 (“normalization layers are bypassed”); *Bach15* §“multilayer networks”.
public struct PassRule: NamedRule {
  public static let name = "pass"
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    let roles: [OperatorKind.Role] = [.activation, .function, .normalization, .probability, .arithmetic, .nothing]
    guard roles.contains(site.kind.role) else {
      return
        "it applies to elementwise functions, normalization and arithmetic with constants, not to \(site.kind)"
    }
    let live = site.operandIsLive.count { $0 }
    return live == 1
      ? nil : "relevance can pass to only one operand, but \(live) operands of the node depend on the input"
  }

  public func conserves(at site: RuleSite) -> Bool { true }
  public var constants: ConstantTreatment { .passed }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    // If the function maps zero to zero, relevance at an operand that is 0 arrived at an output that is 0.
    let keepsZero =
      (site.node.operation as? any ElementwiseFunction).map { $0(0) == 0 }
      ?? (site.kind.role == .nothing || [.lrn, .prelu, .mul, .div].contains(site.kind))
    return keepsZero ? .whatArrivesAtZeros : .anything
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let r = relevance
    return layer.site.operandIsLive.enumerated().map { index, isLive in
      isLive ? layer.summed(r, to: layer.operandShapes[index]) : nil
    }
  }
}

extension PassRule {
  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] {
    normalizationWarnings(at: site, in: plan) + probabilityWarnings(at: site) + site.turnedSignWarnings(in: plan)
  }

  /// Warnings for probabilities that are inputs of further nodes.
  private func probabilityWarnings(at site: RuleSite) -> [RuleWarning] {
    guard [.softmax, .logSoftmax].contains(site.kind) else { return [] }
    let beginning = "\(site.node.name) (\(site.kind)) is inside the network"
    return [
      RuleWarning(beginning, ": relevance passes through it as if its values did not compete", oncePer: site.kind.name)
    ]
  }

  /// Warnings for batch normalization that is bypassed after a layer whose rule depends on biases.
  private func normalizationWarnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] {
    guard site.kind == .batchNormalization, let below = plan[site.node.inputs[0]],
      below.contributions.contains(where: \.countsBothSigns)
    else { return [] }
    return [
      RuleWarning(
        .normalization,
        "\(site.node.name) normalizes the output of \(below.site.node.name) (rule \(below.rule)), but is bypassed",
        ": the rule divides by an output that the network never uses; fold batch normalization into the weights first")
    ]
  }
}

extension Layer {
  /// The relevance of an operand that was broadcast to the output's shape: summed over the repetitions.
  func summed(_ relevance: Tensor, to operand: TensorShape) -> Tensor {
    let target = relevanceShape(of: operand)
    return target.count == relevance.count ? relevance.reshaped(to: target) : relevance.summed(to: target)
  }
}
