import RelevanceNetworks
import RelevanceTensors

/// The propagation of relevance backward through one node.
///
/// A rule is an immutable value that is checked when a table is resolved; the walk holds all state. Every rule of this
/// package is linear in the relevance, so signed seeds and many targets can share one pass. To write a rule for layers
/// with weights, conform to `ContributionRule`.
public protocol Rule: Sendable, CustomStringConvertible {
  /// Why the rule cannot be applied to a node, or nil if it can. Called when a table is resolved, never during a run.
  func objection(at site: RuleSite) -> String?

  /// The relevance of each operand, given the relevance of the output; nil for an operand that receives none.
  ///
  /// - Parameters:
  ///   - relevance: the relevance of the output: `layer.seeds` items for each item of the batch, otherwise of the
  ///     output's shape. The rule may overwrite it.
  ///   - layer: the node with the activations of a run.
  func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?]

  /// Whether the rule can give relevance to an operand. By default true for operands that depend on the input.
  func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool

  /// Whether all arriving relevance is propagated except the amounts that the rule records with a cause (see
  /// `Layer.book(_:_:)`). For other rules, the ledger reports the difference as not conserved. By default false.
  func conserves(at site: RuleSite) -> Bool

  /// The relevance that the rule gives to operands that are 0. By default anything.
  func shareOfZeros(at site: RuleSite) -> ZeroShare

  /// How the rule treats constants that scale and shift values. By default `.other`.
  var constants: ConstantTreatment { get }

  /// Nodes where the rule can be applied but its maps may mislead, and why: parts of `RulePlan.warnings`. By default
  /// none.
  ///
  /// - Parameters:
  ///   - site: a node to which the plan assigns the rule.
  ///   - plan: the plan, with the rules of all nodes.
  func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning]
}

extension Rule {
  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool { site.operandIsLive[operand] }
  public func conserves(at site: RuleSite) -> Bool { false }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .anything }
  public var constants: ConstantTreatment { .other }
  public func warnings(at site: RuleSite, in plan: RulePlan) -> [RuleWarning] { [] }
}

/// How a rule treats constants that scale and shift values.
public enum ConstantTreatment: Sendable {
  /// Relevance follows contributions, whose sizes and signs include the constants.
  case counted
  /// Relevance passes scaling and shifting unchanged.
  case passed
  /// The node has no such constants: relevance moves as values do.
  case moved
  /// Any other treatment.
  case other

  /// Whether constants leave relevance unchanged.
  var arePassed: Bool { self == .passed || self == .moved }
}

/// The relevance that a rule gives to operands whose activation is 0. Where none can arrive, nothing needs to be
/// computed.
public enum ZeroShare: Sendable {
  /// None.
  case nothing
  /// Only relevance that arrives at outputs that are 0.
  case whatArrivesAtZeros
  /// Any relevance.
  case anything
}

/// The properties of a node that are known before a run.
public struct RuleSite: Sendable {
  /// The node.
  public let id: Node.ID
  /// The network of the node.
  public let network: NeuralNetwork
  /// Whether each operand depends on the input and can therefore receive relevance.
  public let operandIsLive: [Bool]
  /// Whether each operand is known to be ≥ 0.
  public let operandIsNonNegative: [Bool]
  /// For each operand of a product of two values, an upper bound of its magnitude for any input, such as 1 for a
  /// sigmoid gate; infinite if there is no bound.
  public let operandLimits: [Float]
  /// The number of elements of each operand for an input of the example size.
  let operandCounts: [Int]
  /// The range of the first operand's values, if it is known.
  public let operandRange: ValueRange?
  /// Whether the node has weights and no node with weights comes before it.
  public let isFirst: Bool
  /// The start of a sentence that describes how the node rounds or wraps integers.
  let steps: String?
  /// The offsets that affine nodes in front of layers add to their operands.
  let offsets: OperandOffsets
  /// Whether the offset of the operand contributes like the rest of it instead of counting as a bias.
  var includesOffset = false
  /// Whether relevance from the logits arrives only at outputs that a rectifier passes.
  public internal(set) var isRectified = false

  /// Whether affine nodes in front of a layer with weights add a constant to its operand. The constant then counts as a
  /// bias of the layer, and inputs contribute without it. Nodes that belong to the layer before them do not count, nor
  /// do nodes whose own rule treats their shift.
  public var operandHasOffset: Bool {
    node.operation.isWeighted && !includesOffset && offsets.hasOffset[node.inputs[0].index]
  }
  /// Whether the contributing operand is known to be ≥ 0: the first operand without its offset.
  var contributionIsNonNegative: Bool {
    node.operation.isWeighted && !includesOffset ? offsets.isNonNegative[node.inputs[0].index] : operandIsNonNegative[0]
  }

  /// The node.
  public var node: Node { network.graph[id] }
  /// The family of the node's operator.
  public var kind: OperatorKind { node.operation.kind }

  /// The objection of a rule that applies only to some operator families.
  public func objection(unless kinds: [OperatorKind]) -> String? {
    kinds.contains(kind)
      ? nil : "it applies to \(kinds.map(\.name).joined(separator: ", ")), not to \(kind)"
  }
}
