import RelevanceTensors

/// A unit of a layer and its activation for an input.
public struct ActiveUnit: Hashable, Sendable, Codable {
  /// The name of the layer's node.
  public let node: String
  /// The unit's channel; for a fully connected layer, the unit's number.
  public let channel: Int
  /// The position of the channel's largest activation, as height and width; empty if channels have no positions.
  public let position: [Int]
  /// The activation at this position.
  public let activation: Float

  /// The unit as a target.
  public var target: Target { .unit(node: node, channel: channel, position: position.isEmpty ? nil : position) }
}

extension Trace {
  /// The most active units of a layer, one per channel. If channels have positions, each is represented by the position
  /// with the largest activation, the first one if several are equal. In a batch, the first item is used.
  ///
  /// - Returns: At most `count` units with activations above zero, in descending order of activation, then by channel.
  /// - Throws: `RelevanceKitError` with similar names if there is no such node; if no path leads from the node to the
  ///   logits; or if a later node multiplies channels by a negative factor.
  /// - Complexity: O(values of the layer).
  public func mostActiveUnits(at node: String, count: Int) throws -> [ActiveUnit] {
    let graph = plan.network.graph
    let id = try graph.requiredNode(named: node)
    guard id != plan.network.input, reaches(id) else { throw ExplanationError.noRelevance(node: graph[id].name) }
    let values = forward.value(of: id)
    let channels = values.shape.rank < 2 ? 1 : values.shape[1]
    let extents = TensorShape(Array(values.shape.dimensions.dropFirst(2)))
    let positions = extents.count
    for channel in 0..<channels { try graph[id].checkSign(ofChannel: channel, called: node) }
    let units = values.withUnsafeElements { values in
      (0..<channels).compactMap { channel -> ActiveUnit? in
        let plane = channel * positions..<(channel + 1) * positions
        guard let largest = plane.max(by: { values[$0] < values[$1] || values[$0] == values[$1] && $0 > $1 }),
          values[largest] > 0
        else { return nil }
        let place = largest - plane.lowerBound
        return ActiveUnit(
          node: graph[id].turned == nil ? graph[id].name : node, channel: channel,
          position: extents.coordinates(of: place),
          activation: values[largest])
      }
    }
    return Array(
      units.sorted { ($1.activation, $0.channel) < ($0.activation, $1.channel) }.prefix(max(count, 0)))
  }
}
