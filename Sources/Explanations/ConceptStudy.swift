import RelevancePropagation
import RelevanceTensors

/// The channels of a layer that count the most for a target, each with the map of the relevance that passes it. *Achtibat23*.
///
/// By LRP these are what the network saw that supports the class; by a contrast such as CLRP1 against another class, what supports this one
/// more than the other.
public struct ConceptStudy: Sendable {
  /// A channel and where it counts.
  public struct Concept: Sendable {
    /// What the channel has to do with the target.
    public let channel: ChannelRelevance
    /// The map under the condition that relevance passes this channel.
    public let explanation: Explanation
  }

  /// The layer's node.
  public let node: String
  /// What is explained: never a rank, but the class that had it.
  public let target: Target
  /// How.
  public let method: any AttributionMethod
  /// The most relevant channels, the largest first, of the first item.
  public let concepts: [Concept]
  /// All channels of the layer, the most relevant first.
  public let channels: [ChannelRelevance]

  /// The target's relevance that the layer's channels have together, and what of it the concepts have.
  public var relevance: (all: Double, ofConcepts: Double) {
    (channels.reduce(0) { $0 + $1.relevance }, concepts.reduce(0) { $0 + $1.channel.relevance })
  }

  /// Studies a layer.
  ///
  /// - Parameters:
  ///   - trace: the run; of a batch the first item chooses the channels.
  ///   - node: the layer: a node between the input and the target.
  ///   - target: what is explained.
  ///   - method: one that carries relevance through the network.
  ///   - count: how many channels, at least 1; fewer if the layer has fewer with relevance above 0.
  ///   - exclusive: as of `Trace.explain(_:by:through:exclusive:ledger:)`.
  /// - Throws: `RelevanceKitError` as `Trace.channels(of:for:by:through:exclusive:)`.
  /// - Complexity: a backward pass to the layer, and one for each concept, in shared walks.
  public init(
    _ trace: Trace, at node: String, for target: Target = .top(1), by method: any AttributionMethod = .lrp,
    count: Int = 6,
    exclusive: Bool = true
  ) throws {
    guard method.takesConditions else { throw ConditionError.notPropagated(method: method.name) }
    (self.node, self.method) = (node, method)
    self.target = try target.resolved(in: trace)
    channels = try trace.channels(of: node, for: self.target, by: method)[0]
    let chosen = channels.prefix(max(count, 1)).filter { $0.relevance > 0 }
    let explanations = try trace.explain(
      [self.target], by: method, throughEach: chosen.map { [.channel($0.channel, of: node)] }, exclusive: exclusive)[0]
    concepts = zip(chosen, explanations).map { Concept(channel: $0, explanation: $1) }
  }
}
