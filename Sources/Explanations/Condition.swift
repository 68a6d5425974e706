import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// Channels of a node's output that relevance has to pass: it is set to zero at all others, and the walk goes on. *Achtibat23* eq. 3.
///
/// What a channel responds to is a concept, so that a map under a condition shows where a concept counts for a target. Of a node of
/// channels × height × width a channel is a map, of a fully connected layer an output, of tokens a feature of all of them.
public struct Condition: Hashable, Sendable {
  /// The node's name.
  public let node: String
  /// The channels, in order.
  public let channels: [Int]

  /// Some channels of a node.
  public static func channels(_ channels: some Sequence<Int>, of node: String) -> Condition {
    Condition(node: node, channels: Set(channels).sorted())
  }

  /// One channel of a node.
  public static func channel(_ channel: Int, of node: String) -> Condition { .channels([channel], of: node) }
}

extension Condition: LosslessStringConvertible {
  /// Reads `NODE/3+7`; the last `/` separates. Nil for other texts.
  public init?(_ description: String) {
    guard let slash = description.lastIndex(of: "/"), slash > description.startIndex else { return nil }
    let channels = description[description.index(after: slash)...].split(
      separator: "+", omittingEmptySubsequences: false
    ).map { Int($0) ?? -1 }
    guard channels.allSatisfy({ $0 >= 0 }) else { return nil }
    self = .channels(channels, of: String(description[..<slash]))
  }

  /// `NODE/3+7`.
  public var description: String { "\(node)/" + channels.map(String.init).joined(separator: "+") }
}

extension Condition: Codable {
  /// Reads the description.
  ///
  /// - Throws: `DecodingError` for other texts, and what the decoder throws.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let condition = Condition(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected NODE/3+7; found \(text)")
    }
    self = condition
  }

  /// Writes the description.
  ///
  /// - Throws: What the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A condition that cannot be met.
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
      "no relevance of \(target) passes node \(node); expected a node between the input and the target"
    case .sideBySide(let a, let b):
      "no relevance passes node \(a) and node \(b), which lie side by side; expected one of them, or conditions that are not exclusive"
    case .notBelow(let lower, let upper):
      "no relevance goes from node \(upper) to node \(lower); expected layers from the target downward"
    case .notPropagated(let method):
      "\(method) does not carry relevance through every node, so it cannot pass some channels only; expected lrp, clrp1, clrp2 or gradient"
    }
  }
}

extension Trace {
  /// The axis of a node's output along which channels lie, and their number.
  ///
  /// - Throws: `RelevanceKitError` if there are none.
  func channels(of id: Node.ID) throws -> (axis: Int, count: Int) {
    let shape = forward.shape(of: id)
    guard shape.rank > 1 else {
      throw ConditionError.noChannels(node: plan.network.graph[id].name, shape: shape)
    }
    let axis = plan.network.channelAxes(forward.plan.analysis.inferred)[id.index] ?? 1
    return (axis, shape[axis])
  }

  /// What relevance of a target passes under some conditions.
  ///
  /// - Throws: `RelevanceKitError`.
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
