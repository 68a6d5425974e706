import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

/// The relevance and activation of a channel of a layer for a target.
public struct ChannelRelevance: Hashable, Sendable, Codable {
  /// The index of the channel.
  public let channel: Int
  /// `Σ R` over its positions.
  public let relevance: Double
  /// The relevance as a fraction of `Σ |R|` over the layer's channels; 0 if no relevance arrives.
  public let share: Double
  /// The largest relevance at a position.
  public let peak: Float
  /// The position of the largest relevance: row and column, or the index of a token; empty for a layer without
  /// positions.
  public let position: [Int]
  /// The sum of the channel's values.
  public let activation: Double
  /// The largest of the channel's values.
  public let peakActivation: Float
}

/// The sum and maximum of a channel's values or relevance.
package struct ChannelSum: Hashable, Sendable {
  /// The sum over all positions.
  package var sum = 0.0
  /// The largest value at a position.
  package var peak = -Float.infinity
  /// The first position with this value, in row-major order of the layer's extents.
  package var place = 0
}

/// The arrangement of a layer's output in channels.
package struct ChannelLayout: Hashable, Sendable {
  /// The number of channels.
  package let count: Int
  /// The extents of a channel: rows and columns, or tokens; empty for a layer without positions.
  package let extents: [Int]
  /// The stride between the channels of an item.
  private let distance: Int
  /// The number of elements of an item.
  private let size: Int

  /// - Throws: `RelevanceKitError` if a node's output has no channels.
  init(of id: Node.ID, in trace: Trace) throws {
    let (axis, count) = try trace.channels(of: id)
    let shape = trace.forward.shape(of: id)
    self.count = count
    size = shape.count / max(trace.batch, 1)
    guard trace.forward.plan.itemLayouts[id.index] != .folded else {
      // The first axis combines the items with other parts, such as the windows of an image.
      distance = shape.strides[axis]
      extents = shape.dimensions.indices.filter { $0 != axis }.map { shape[$0] / ($0 == 0 ? trace.batch : 1) }
      return
    }
    let batchAxis = trace.forward.batchAxis(of: id)
    // The stride within an item, without the batch axis, regardless of the position of this axis.
    distance = shape.strides[axis] / (axis < batchAxis ? trace.batch : 1)
    extents = shape.dimensions.indices.filter { $0 != axis && $0 != batchAxis }.map { shape[$0] }
  }

  /// The coordinates of a position; empty for a layer without positions.
  package func position(of place: Int) -> [Int] {
    let shape = TensorShape(extents)
    return shape.count > 1 ? shape.coordinates(of: place) : []
  }

  /// The sums of each channel for one item of a tensor whose items are consecutive.
  ///
  /// - Complexity: O(elements).
  func sums(of itemByItem: Tensor, item: Int) -> [ChannelSum] {
    itemByItem.withUnsafeElements { values in
      (0..<count).map { channel in
        var found = ChannelSum()
        var number = 0
        for start in stride(from: item * size + channel * distance, to: (item + 1) * size, by: distance * count) {
          for at in start..<start + distance {
            let value = values[at]
            found.sum += Double(value)
            if value > found.peak { (found.peak, found.place) = (value, number) }
            number += 1
          }
        }
        return found
      }
    }
  }
}

/// The sums of the channels of a node for one item: values, and relevance for each target.
package struct LayerSums: Sendable {
  package let layout: ChannelLayout
  package let activation: [ChannelSum]
  /// One list of channels per target.
  package let relevance: [[ChannelSum]]
}

extension Trace {
  /// The relevance of each channel of a node's output for a target, in descending order; channels with equal relevance
  /// are ordered by index.
  ///
  /// - Parameters:
  ///   - target: the unit to explain.
  ///   - node: a node between the input and the target.
  ///   - method: the attribution method. For contrastive methods, relevance is signed: channels that support the target
  ///     but not its dual come first.
  ///   - conditions: the channels that relevance must pass through, at the node or between the target and the node.
  ///   - exclusive: as in `explain(_:by:through:exclusive:ledger:)`.
  /// - Returns: For each item of the batch, its channels.
  /// - Throws: `RelevanceKitError` as `relevance(of:at:by:)` and `explain(_:by:through:exclusive:ledger:)`.
  /// - Complexity: one backward pass down to the node.
  public func channels(
    of node: String, for target: Target, by method: any AttributionMethod = .lrp, through conditions: [Condition] = [],
    exclusive: Bool = true
  ) throws -> [[ChannelRelevance]] {
    let found = try channelSums(of: [node], for: [target], by: method, throughEach: [conditions], exclusive: exclusive)
    return found.map { item in
      let (layer, relevance) = (item[0], item[0].relevance[0])
      let whole = relevance.reduce(0) { $0 + abs($1.sum) }
      return relevance.indices.map { channel in
        let (own, values) = (relevance[channel], layer.activation[channel])
        return ChannelRelevance(
          channel: channel, relevance: own.sum, share: whole > 0 ? own.sum / whole : 0, peak: own.peak,
          position: layer.layout.position(of: own.place), activation: values.sum, peakActivation: values.peak)
      }.sorted { ($0.relevance, $1.channel) > ($1.relevance, $0.channel) }
    }
  }

  /// The sums of the channels of several nodes for several targets, each target under its own conditions.
  ///
  /// - Returns: For each item of the batch, one element per node.
  /// - Throws: As `channels(of:for:by:through:exclusive:)`.
  package func channelSums(
    of nodes: [String], for targets: [Target], by method: any AttributionMethod,
    throughEach conditions: [[Condition]]? = nil, exclusive: Bool = true
  ) throws -> [[LayerSums]] {
    let ids = try nodes.map { try receiver(named: $0, by: method.table) }
    let layouts = try ids.map { try ChannelLayout(of: $0, in: self) }
    let relevance = try relevance(
      of: targets, at: nodes, by: method, throughEach: conditions ?? targets.map { _ in [] }, exclusive: exclusive)
    let values = try zip(ids, nodes).map { forward.itemByItem(try activation(at: $1), at: $0) }
    return (0..<batch).map { item in
      ids.indices.map { node in
        let layout = layouts[node]
        return LayerSums(
          layout: layout, activation: layout.sums(of: values[node], item: item),
          relevance: relevance[node].map {
            layout.sums(of: forward.itemByItem($0, at: ids[node]), item: item)
          })
      }
    }
  }
}
