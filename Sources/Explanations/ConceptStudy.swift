import RelevancePropagation
import RelevanceTensors

/// The channels of a layer with the largest relevance for a target, each with the map of the relevance that passes
/// through it. *Achtibat23*.
///
/// With LRP, these are the concepts that support the class. With a contrastive method, such as CLRP1 against another
/// class, these are the concepts that support this class more than the other one.
public struct ConceptStudy: Sendable {
  /// A channel and its map.
  public struct Concept: Sendable {
    /// The relevance and activation of the channel.
    public let channel: ChannelRelevance
    /// The map under the condition that relevance passes through this channel.
    public let explanation: Explanation
  }

  /// The name of the layer's node.
  public let node: String
  /// The explained target. A rank is replaced by the class with this rank.
  public let target: Target
  /// The attribution method.
  public let method: any AttributionMethod
  /// The most relevant channels of the first item, in descending order of relevance.
  public let concepts: [Concept]
  /// All channels of the layer, in descending order of relevance.
  public let channels: [ChannelRelevance]

  /// The relevance of all of the layer's channels, and of the selected concepts.
  public var relevance: (all: Double, ofConcepts: Double) {
    (channels.reduce(0) { $0 + $1.relevance }, concepts.reduce(0) { $0 + $1.channel.relevance })
  }

  /// Studies a layer.
  ///
  /// - Parameters:
  ///   - trace: the recorded run; in a batch, the first item determines the channels.
  ///   - node: the layer: a node between the input and the target.
  ///   - target: the unit to explain.
  ///   - method: a method that propagates relevance through the network.
  ///   - count: the number of channels, at least 1; fewer if fewer have positive relevance.
  ///   - exclusive: as in `Trace.explain(_:by:through:exclusive:ledger:)`.
  /// - Throws: `RelevanceKitError` as `Trace.channels(of:for:by:through:exclusive:)`.
  /// - Complexity: one backward pass to the layer, and one per concept; the latter are shared.
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
