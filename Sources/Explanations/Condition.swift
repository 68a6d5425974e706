import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// The channels of a node's output that relevance must pass through: at all other channels, relevance is set to zero
/// before it is propagated further. *Achtibat23* eq. 3.
///
/// A channel responds to a concept, so a map under a condition shows where this concept contributes to a target. A
/// channel is a feature map for a node of channels × height × width, an output for a fully connected layer, and a
/// feature of all tokens for a node with tokens.
public struct Condition: Hashable, Sendable {
  /// The node's name.
  public let node: String
  /// The channels, in ascending order.
  public let channels: [Int]

  /// A condition on several channels of a node.
  public static func channels(_ channels: some Sequence<Int>, of node: String) -> Condition {
    Condition(node: node, channels: Set(channels).sorted())
  }

  /// A condition on one channel of a node.
  public static func channel(_ channel: Int, of node: String) -> Condition { .channels([channel], of: node) }
}

extension Condition: LosslessStringConvertible {
  /// Parses `NODE/3+7`; the last `/` is the separator. Nil for other texts.
  public init?(_ description: String) {
    guard let slash = description.lastIndex(of: "/"), slash > description.startIndex else { return nil }
    let channels = description[description.index(after: slash)...].split(
      separator: "+", omittingEmptySubsequences: false
    ).map { Int($0) ?? -1 }
    guard channels.allSatisfy({ $0 >= 0 }) else { return nil }
    self = .channels(channels, of: String(description[..<slash]))
  }

  /// The text `NODE/3+7`.
  public var description: String { "\(node)/" + channels.map(String.init).joined(separator: "+") }
}

extension Condition: Codable {
  /// Decodes the description.
  ///
  /// - Throws: `DecodingError` for other texts, and errors of the decoder.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let condition = Condition(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected NODE/3+7; found \(text)")
    }
    self = condition
  }

  /// Encodes the description.
  ///
  /// - Throws: Errors of the encoder.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A condition that cannot be applied.
package enum ConditionError: RelevanceKitError, Equatable {
  case noSuchChannel(Int, node: String, channels: Int)
  case noChannels(node: String, shape: TensorShape)
  case twice(node: String)
  case beyondTarget(node: String, target: String)
  case sideBySide(String, String)
  case notBelow(String, String)
  case notPropagated(method: String)

  package var category: ErrorCategory { .usage }

  package var description: String {
    switch self {
    case .noSuchChannel(let channel, let node, let channels):
      "node \(node) has no channel \(channel); expected 0 to \(channels - 1)"
    case .noChannels(let node, let shape): "node \(node) has no channels: its output has shape \(shape)"
    case .twice(let node): "there are two conditions on node \(node); expected one, with the channels joined by +"
    case .beyondTarget(let node, let target):
      "no relevance of \(target) passes through node \(node); expected a node between the input and the target"
    case .sideBySide(let a, let b):
      "no relevance passes through both node \(a) and node \(b), because they are on parallel branches; expected one "
        + "of them, or conditions that are not exclusive"
    case .notBelow(let lower, let upper):
      "no relevance is propagated from node \(upper) to node \(lower); expected layers in order from the target to the "
        + "input"
    case .notPropagated(let method):
      "\(method) does not propagate relevance through every node, so conditions do not apply; expected lrp, clrp1, "
        + "clrp2 or gradient"
    }
  }
}

extension Trace {
  /// The channel axis of a node's output, and the number of channels.
  ///
  /// - Throws: `RelevanceKitError` if the output has no channels.
  func channels(of id: Node.ID) throws -> (axis: Int, count: Int) {
    let shape = forward.shape(of: id)
    guard shape.rank > 1 else {
      throw ConditionError.noChannels(node: plan.network.graph[id].name, shape: shape)
    }
    let axis = plan.network.channelAxes(forward.plan.analysis.inferred)[id.index] ?? 1
    return (axis, shape[axis])
  }

  /// The passage of a target's relevance under some conditions.
  ///
  /// - Throws: `RelevanceKitError` for conditions that cannot be applied.
  func passage(
    _ conditions: [Condition], exclusive: Bool, of target: Target, at starts: [Node.ID], by table: RuleTable?
  ) throws -> Passage {
    let graph = plan.network.graph
    var gates: [Gate] = []
    for condition in conditions {
      let id = try receiver(named: condition.node, by: table)
      let (axis, count) = try channels(of: id)
      if let other = condition.channels.first(where: { !(0..<count).contains($0) }) {
        throw ConditionError.noSuchChannel(other, node: condition.node, channels: count)
      }
      guard !gates.contains(where: { $0.node == id }) else { throw ConditionError.twice(node: condition.node) }
      var isOpen = [Bool](repeating: false, count: count)
      for channel in condition.channels { isOpen[channel] = true }
      gates.append(Gate(id, axis: axis, isOpen: isOpen))
      let downstream = graph.downstream(of: id)
      guard starts.contains(where: { downstream[$0.index] }) else {
        throw ConditionError.beyondTarget(node: condition.node, target: target.description)
      }
      if exclusive,
        let other = gates.first(where: { !downstream[$0.node.index] && !graph.downstream(of: $0.node)[id.index] })
      {
        throw ConditionError.sideBySide(graph[other.node].name, condition.node)
      }
    }
    return Passage(gates, isExclusive: exclusive, in: graph)
  }
}
