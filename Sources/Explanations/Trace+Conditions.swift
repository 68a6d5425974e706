import Networks
import Propagation
import Tensors

extension Trace {
  /// Explains a target by the relevance that passes some channels of some nodes only. *Achtibat23*: Concept Relevance Propagation.
  ///
  /// - Parameters:
  ///   - target: what is explained.
  ///   - method: one that carries relevance, or gradients, through the network.
  ///   - conditions: all of them hold; none means no condition.
  ///   - exclusive: whether only relevance that has passed every conditioned node reaches the input. Otherwise branches beside them count too,
  ///     as the identities of a residual network.
  ///   - ledger: as of `explain(_:by:ledger:)`; what a condition took out is there under the cause `condition`.
  /// - Throws: `RelevanceKitError` as `explain(_:by:ledger:)`; for a node or a channel that does not exist, or that no relevance of the target
  ///   passes; and for a method that cannot have conditions.
  /// - Complexity: as `explain(_:by:ledger:)`.
  public func explain(
    _ target: Target, by method: any AttributionMethod = .lrp, through conditions: [Condition], exclusive: Bool = true,
    ledger: Bool = true
  ) throws -> Explanation {
    try explain([target], by: method, throughEach: [conditions], exclusive: exclusive, ledger: ledger)[0][0]
  }

  /// Explains several targets, each under several conditions, which share walks as several targets do.
  ///
  /// - Parameters:
  ///   - targets: what is explained.
  ///   - method: one that carries relevance, or gradients, through the network.
  ///   - conditionSets: of each set all conditions hold.
  ///   - exclusive: whether only relevance that has passed every conditioned node reaches the input.
  ///   - ledger: as of `explain(_:by:ledger:)`.
  /// - Returns: for each target its explanations, in the order of the sets.
  /// - Throws: `RelevanceKitError` as for one.
  /// - Complexity: one backward pass per target and set.
  public func explain(
    _ targets: [Target], by method: any AttributionMethod = .lrp, throughEach conditionSets: [[Condition]],
    exclusive: Bool = true, ledger: Bool = true
  ) throws -> [[Explanation]] {
    try method.checkParameters()
    guard method.takesConditions || conditionSets.allSatisfy(\.isEmpty) else {
      throw ConditionError.notPropagated(method: method.name)
    }
    var all: [Target] = []
    var gated = self
    for target in targets {
      let target = try target.resolved(in: self)
      let starts = try Site(of: target, in: self).nodes
      for conditions in conditionSets {
        all.append(target)
        gated.passages.append(
          try passage(conditions, exclusive: exclusive, of: target, at: starts, by: method.table))
      }
    }
    let found = try gated.explain(all, by: method, ledger: ledger)
    return targets.indices.map { target in
      conditionSets.indices.map { set in
        var explanation = found[target * conditionSets.count + set]
        (explanation.conditions, explanation.isExclusive) = (conditionSets[set], exclusive)
        return explanation
      }
    }
  }

  /// The same walks through the passages of some of the targets.
  func gated(_ propagator: Propagator, for targets: Range<Int>) -> Propagator {
    passages.isEmpty ? propagator : propagator.through(Array(passages[targets]))
  }
}

/// What a channel of a layer has to do with a target.
public struct ChannelRelevance: Hashable, Sendable, Codable {
  /// The channel's number.
  public let channel: Int
  /// `Σ R` over its positions.
  public let relevance: Double
  /// The relevance as a part of `Σ |R|` over the layer's channels; 0 where no relevance arrives.
  public let share: Double
  /// The largest relevance at a position.
  public let peak: Float
  /// The position that has it: row and column, or the number of a token; empty for a layer without positions.
  public let position: [Int]
  /// The sum of the channel's values.
  public let activation: Double
  /// The largest of the channel's values.
  public let peakActivation: Float
}

extension Trace {
  /// The relevance of each channel of a node's output for a target, the largest first; equal ones by number.
  ///
  /// - Parameters:
  ///   - target: what is explained.
  ///   - node: a node between the input and the target.
  ///   - method: how; of contrasts relevance is signed: channels that support the target and not its dual come first.
  ///   - conditions: what relevance has to pass above the node, or there.
  ///   - exclusive: as of `explain(_:by:through:exclusive:ledger:)`.
  /// - Returns: for each item of the batch its channels.
  /// - Throws: `RelevanceKitError` as `relevance(of:at:by:)` and `explain(_:by:through:exclusive:ledger:)`.
  /// - Complexity: a backward pass down to the node.
  public func channels(
    of node: String, for target: Target, by method: any AttributionMethod = .lrp, through conditions: [Condition] = [],
    exclusive: Bool = true
  ) throws -> [[ChannelRelevance]] {
    let id = try receiver(named: node, by: method.table)
    let (axis, count) = try channels(of: id)
    let relevance = try relevance(of: target, at: node, by: method, through: conditions, exclusive: exclusive)
    let shape = forward.shape(of: id)
    let values = forward.itemByItem(try activation(at: node), at: id)
    let relevances = forward.itemByItem(relevance, at: id)
    // Of an item, without the batch's axis, wherever it is.
    let size = shape.count / max(batch, 1)
    let batchAxis = forward.batchAxis(of: id)
    let own = shape.strides[axis] / (axis < batchAxis ? batch : 1)
    let extents = TensorShape(shape.dimensions.indices.filter { $0 != axis && $0 != batchAxis }.map { shape[$0] })
    return (0..<batch).map { item in
      relevances.withUnsafeElements { relevances in
        values.withUnsafeElements { values in
          let found = (0..<count).map { channel in
            var sums = (relevance: 0.0, activation: 0.0)
            var (peak, place, largest) = (-Float.infinity, 0, -Float.infinity)
            var number = 0
            for start in stride(from: item * size + channel * own, to: (item + 1) * size, by: own * count) {
              for at in start..<start + own {
                sums.relevance += Double(relevances[at])
                sums.activation += Double(values[at])
                if relevances[at] > peak { (peak, place) = (relevances[at], number) }
                largest = max(largest, values[at])
                number += 1
              }
            }
            return (channel: channel, sums: sums, peak: peak, place: place, largest: largest)
          }
          let whole = found.reduce(0) { $0 + abs($1.sums.relevance) }
          return found.map {
            ChannelRelevance(
              channel: $0.channel, relevance: $0.sums.relevance, share: whole > 0 ? $0.sums.relevance / whole : 0,
              peak: $0.peak, position: extents.count > 1 ? extents.coordinates(of: $0.place) : [],
              activation: $0.sums.activation, peakActivation: $0.largest)
          }.sorted { ($0.relevance, $1.channel) > ($1.relevance, $0.channel) }
        }
      }
    }
  }
}
