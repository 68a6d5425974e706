import RelevanceTensors

/// A unit of a layer and how active it is for an input.
public struct ActiveUnit: Hashable, Sendable, Codable {
  /// The name of the layer's node.
  public let node: String
  /// The unit's channel; of a fully connected layer its number.
  public let channel: Int
  /// Where the channel is most active, as height and width; empty if channels have no positions.
  public let position: [Int]
  /// The activation there.
  public let activation: Float

  /// The unit as something to explain.
  public var target: Target { .unit(node: node, channel: channel, position: position.isEmpty ? nil : position) }
}

extension Trace {
  /// The most active units of a layer, one per channel: where channels have positions, each stands for the one where it is
  /// most active, the first of equal ones. Of a batch the first item counts.
  ///
  /// - Returns: at most `count` units by falling activation, equal ones by channel; only those above zero.
  /// - Throws: `RelevanceKitError`, with what may have been meant, and if nothing leads
  ///   from the node to the logits, `RelevanceKitError` if a later node multiplies channels by something negative.
  /// - Complexity: O(*values of the layer*).
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
