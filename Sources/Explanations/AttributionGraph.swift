import RelevancePropagation

/// The channels of lower layers that contribute to a target, and the channels of still lower layers that contribute to
/// those. *Achtibat23*, “attribution graphs”.
///
/// The first vertex is the target: a class, or a unit of a layer. Edges lead from it to the channels of the first layer
/// with the largest relevance for the target, and from each of these to the channels of the next layer with the largest
/// share of the relevance that passes through it. Relevance is linear. If the rules conserve relevance, the edges from
/// a channel to all channels below add up to its relevance.
public struct AttributionGraph: Sendable, Codable {
  /// The target, or a channel.
  public struct Vertex: Hashable, Sendable, Codable {
    /// 0 for the target, 1 for the first layer.
    public let level: Int
    /// The layer; nil for the target.
    public let node: String?
    /// The channel; nil for the target.
    public let channel: Int?
    /// The relevance for the target, over all paths.
    public let relevance: Double
    /// The relevance as a fraction of `Σ |R|` over the layer's channels; 1 for the target.
    public let share: Double
    /// The position with the largest relevance, as in `ChannelRelevance`; empty for the target.
    public let position: [Int]
  }

  /// The relevance that passes from one vertex to a vertex of the next level.
  public struct Edge: Hashable, Sendable, Codable {
    /// The index of the upper vertex.
    public let from: Int
    /// The index of the lower vertex.
    public let to: Int
    /// The relevance that passes through both vertices.
    public let relevance: Double
    /// The relevance as a fraction of `Σ |R|` over the lower layer's channels, for the relevance that passes through
    /// the upper vertex.
    public let share: Double
  }

  /// The target, in its command-line form.
  public let target: String
  /// The attribution method, in its command-line form.
  public let method: String
  /// The layers, in order from the target to the input.
  public let layers: [String]
  /// The target, followed by the channels of each layer in descending order of relevance.
  public let vertices: [Vertex]
  /// Edges from each vertex to all vertices of the next level.
  public let edges: [Edge]

  /// Follows relevance from a target through several layers.
  ///
  /// - Parameters:
  ///   - trace: the recorded run; in a batch, the first item is used.
  ///   - target: the unit to explain.
  ///   - layers: nodes between the input and the target, in order from the target to the input.
  ///   - method: a method that propagates relevance through the network.
  ///   - count: the number of channels of the first layer, at least 1; fewer if fewer have positive relevance.
  ///   - width: the number of channels of each further layer that are selected per channel above, at least 1.
  /// - Throws: `RelevanceKitError` as `Trace.channels(of:for:by:through:exclusive:)`, and if a layer is not below the
  ///   previous one.
  /// - Complexity: one backward pass per vertex; the passes of a level are shared.
  public init(
    _ trace: Trace, for target: Target = .top(1), through layers: [String], by method: any AttributionMethod = .lrp,
    count: Int = 6, width: Int = 3
  ) throws {
    guard method.takesConditions else { throw ConditionError.notPropagated(method: method.name) }
    try Self.checkOrder(of: layers, in: trace, by: method)
    let target = try target.resolved(in: trace)
    (self.target, self.method, self.layers) = (target.description, method.description, layers)
    let whole = layers.isEmpty ? [] : try trace.channelSums(of: layers, for: [target], by: method)[0]
    var vertices: [Vertex] = []
    var edges: [Edge] = []
    // The vertices of the level above and their conditions.
    var above: [(number: Int, conditions: [Condition])] = [(0, [])]
    for (level, layer) in layers.enumerated() {
      let all = whole[level].relevance[0]
      let total = all.reduce(0) { $0 + abs($1.sum) }
      if level == 0 {
        let sum = all.reduce(0) { $0 + $1.sum }
        vertices = [Vertex(level: 0, node: nil, channel: nil, relevance: sum, share: 1, position: [])]
      }
      let passed = try trace.channelSums(
        of: [layer], for: above.map { _ in target }, by: method, throughEach: above.map(\.conditions))[0][0].relevance
      var chosen: Set<Int> = []
      for channels in passed {
        let best = channels.indices.filter { channels[$0].sum > 0 }
          .sorted { (channels[$0].sum, $1) > (channels[$1].sum, $0) }
        chosen.formUnion(best.prefix(max(level == 0 ? count : width, 1)))
      }
      let own = chosen.sorted { (all[$0].sum, $1) > (all[$1].sum, $0) }
      let first = vertices.count
      vertices += own.map { channel in
        Vertex(
          level: level + 1, node: layer, channel: channel, relevance: all[channel].sum,
          share: total > 0 ? all[channel].sum / total : 0,
          position: whole[level].layout.position(of: all[channel].place))
      }
      for (upper, channels) in zip(above, passed) {
        let total = channels.reduce(0) { $0 + abs($1.sum) }
        edges += own.enumerated().map { number, channel in
          Edge(
            from: upper.number, to: first + number, relevance: channels[channel].sum,
            share: total > 0 ? channels[channel].sum / total : 0)
        }
      }
      above = own.enumerated().map { (first + $0, [.channel($1, of: layer)]) }
    }
    (self.vertices, self.edges) = (vertices, edges)
  }

  /// - Throws: `RelevanceKitError` if relevance cannot pass from a layer to the next one.
  private static func checkOrder(of layers: [String], in trace: Trace, by method: any AttributionMethod) throws {
    let ids = try layers.map { try trace.receiver(named: $0, by: method.table) }
    let graph = trace.plan.network.graph
    for (number, pair) in zip(ids, ids.dropFirst()).enumerated()
    where pair.0 == pair.1 || !graph.downstream(of: pair.1)[pair.0.index] {
      throw ConditionError.notBelow(layers[number + 1], layers[number])
    }
  }
}
