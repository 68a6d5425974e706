import RelevanceNetworks
import RelevanceTensors

/// How relevance passes backward through one node.
///
/// A rule is an immutable value that is checked when it is made; all state belongs to the walk. Every rule here is linear
/// in the relevance, which is what lets signed seeds and many targets share one pass. A rule for layers with weights is
/// most easily written as a `ContributionRule`.
public protocol Rule: Sendable, CustomStringConvertible {
  /// Why the rule cannot be used at a node, or nil if it can. Asked when a table is resolved, never while running.
  func objection(at site: RuleSite) -> String?

  /// The relevance of each operand, given that of the output; nil for an operand that takes none.
  ///
  /// - Parameters:
  ///   - relevance: `layer.seeds` items for each item of the batch, otherwise of the output's shape. The rule may
  ///     overwrite it.
  ///   - layer: the node with the activations of a run.
  func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?]

  /// Whether the rule ever gives relevance to an operand. By default to all that depend on the input.
  func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool

  /// Whether all that arrives goes on, but for what the rule books to a cause (see `Layer.book(_:_:)`). The ledger calls
  /// what is missing at other rules not conserved. By default false.
  func conserves(at site: RuleSite) -> Bool

  /// What operands that are 0 take. By default anything.
  func shareOfZeros(at site: RuleSite) -> ZeroShare

  /// What the rule makes of constants by which nodes scale and shift values. By default other than the rules here.
  var constants: ConstantTreatment { get }

  /// Where the rule can be used but may mislead, and why: parts of `RulePlan.warnings`. By default nothing.
  ///
  /// - Parameters:
  ///   - site: a node for which the plan has the rule.
  ///   - plan: has the rules of other nodes.
  func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning]
}

extension Rule {
  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool { site.operandIsLive[operand] }
  public func conserves(at site: RuleSite) -> Bool { false }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .anything }
  public var constants: ConstantTreatment { .other }
  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { [] }
}

/// What a rule makes of constants by which nodes scale and shift values.
public enum ConstantTreatment: Sendable {
  /// Relevance follows contributions, which have the sizes and signs that constants give them.
  case counted
  /// Relevance goes through scaling and shifting unchanged.
  case passed
  /// There are none: relevance moves as values do.
  case moved
  /// Something else.
  case other

  /// Whether relevance is after the constants what it was before.
  var arePassed: Bool { self == .passed || self == .moved }
}

/// What relevance a rule gives to operands whose activation is 0. Where none can arrive, nothing needs to be computed.
public enum ZeroShare: Sendable {
  /// None.
  case nothing
  /// What arrives at outputs that are 0, and nothing else.
  case whatArrivesAtZeros
  /// It may be anything.
  case anything
}

/// What is known of a node before anything runs.
public struct RuleSite: Sendable {
  /// The node.
  public let id: Node.ID
  /// The network that it belongs to.
  public let network: NeuralNetwork
  /// For each operand whether it depends on the input, and so can take relevance.
  public let operandIsLive: [Bool]
  /// For each operand whether it is known to be ≥ 0.
  public let operandIsNonNegative: [Bool]
  /// For each operand of a product of two values the largest magnitude that they can have whatever the input is, as those of a gate
  /// have one; infinite where there is none.
  public let operandLimits: [Float]
  /// How many elements each operand has for inputs of a usual size.
  let operandCounts: [Int]
  /// The interval of the first operand's values, where it is known.
  public let operandRange: ValueRange?
  /// Whether the node has weights, and no other that has comes before it.
  public let isFirst: Bool
  /// What the node makes of values that are rounded to integers or wrap as they do, as the beginning of a sentence.
  let steps: String?
  /// What affine nodes in front of layers add to their operands.
  let offsets: OperandOffsets
  /// Whether what affine nodes have added to the operand contributes like the rest, and is no bias.
  var includesOffset = false
  /// Whether relevance from the logits arrives only at outputs that a rectifier lets pass.
  public internal(set) var isRectified = false

  /// Whether affine nodes in front of a layer with weights add a constant to its operand, which is a bias of the layer then: inputs
  /// contribute without it. Nodes that a layer before them could do do not count, nor those whose own rule sees to their shifts.
  public var operandHasOffset: Bool {
    node.operation.isWeighted && !includesOffset && offsets.hasOffset[node.inputs[0].index]
  }
  /// Whether what inputs contribute to a layer with is known to be ≥ 0: the first operand without its offset.
  var contributionIsNonNegative: Bool {
    node.operation.isWeighted && !includesOffset ? offsets.isNonNegative[node.inputs[0].index] : operandIsNonNegative[0]
  }

  /// The node.
  public var node: Node { network.graph[id] }
  /// The family of the node's operator.
  public var kind: OperatorKind { node.operation.kind }

  /// The objection of a rule that applies to some families only.
  public func objection(unless kinds: [OperatorKind]) -> String? {
    kinds.contains(kind)
      ? nil : "it applies to \(kinds.map(\.name).joined(separator: ", ")), and the node is \(kind)"
  }
}
