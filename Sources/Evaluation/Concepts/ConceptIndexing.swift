import RelevanceExplanations
import Foundation
import RelevancePropagation
import RelevanceSupport

/// The settings for creating a concept index; see `ConceptIndex`. *Achtibat23*.
public struct ConceptIndexing: Sendable {
  /// The statistic of a channel's values by which inputs are ranked.
  public enum Statistic: String, Sendable, CaseIterable {
    /// The sum over all positions.
    case sum
    /// The largest value at a position.
    case peak
  }

  /// The nodes whose channels are indexed.
  public var layers: [String]
  /// The number of inputs to store for each channel.
  public var top = 8
  /// The class to explain in each input.
  public var target = TargetChoice.labeled
  /// The statistic of a channel's relevance and activation.
  public var statistic = Statistic.sum
  /// Whether the statistic is divided by the sum of its magnitudes over the layer's channels, so that inputs are
  /// comparable.
  public var isNormalized = true
  /// Whether the inputs of each class are ranked too.
  public var countsClasses = true

  /// Makes the default settings.
  public init(layers: [String]) { self.layers = layers }

  /// Prepares an index of the inputs of a data set.
  ///
  /// - Parameters:
  ///   - subject: the network; its first method computes the relevance.
  ///   - data: the inputs.
  /// - Returns: An index that is ready to be created.
  /// - Throws: `RelevanceKitError` if there are no such layers, no inputs, or no method that propagates relevance
  ///   through the layers.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedConceptIndex {
    let images = try target.images(of: data)
    guard let method = subject.methods.first, method.takesConditions else {
      throw SimpleError(
        "\(subject.methods.first?.name ?? "no method") does not propagate relevance to layers; expected lrp, clrp1 or "
          + "clrp2",
        .usage)
    }
    guard !layers.isEmpty, Set(layers).count == layers.count, top > 0 else {
      throw SimpleError("expected one or more different layers, and at least 1 input per channel", .usage)
    }
    let graph = subject.explainer.network.graph
    for layer in layers { _ = try graph.requiredNode(named: layer) }
    let configuration = subject.configuration(
      on: data,
      [
        "layers": layers, "top": ["\(top)"], "target": [target.rawValue], "statistic": [statistic.rawValue],
        "normalized": ["\(isNormalized)"], "classes": ["\(countsClasses)"], "methods": [method.description],
      ])
    let header = JournalHeader(
      evaluation: ConceptIndex.evaluation, configuration: configuration, items: images.count, shard: .whole)
    let empty = ConceptIndex(
      header: header, inputs: images.map(\.name), files: images.map(\.path), nodes: layers, top: top)
    return PreparedConceptIndex(empty: empty) { [self] item, index in
      let image = images[item]
      let trace = try subject.run(image).trace
      try add(trace, item, for: target.classes(of: image, in: trace), by: method, to: &index)
    }
  }

  /// Adds a run of an input to an index. An index without inputs takes the channels of the first run.
  ///
  /// - Throws: `RelevanceKitError`; in this case the index is unchanged.
  package func add(
    _ trace: Trace, _ item: Int, for classes: [Int], by method: any AttributionMethod, to index: inout ConceptIndex
  ) throws {
    let found = try trace.channelSums(of: layers, for: classes.map { .class($0) }, by: method)[0]
    let records = try zip(layers, found).map { try LayerRecord($1, of: $0, self) }
    for (layer, record) in records.enumerated() {
      index.layers[layer].add(record, item: item, classes: classes, countsClasses: countsClasses)
    }
  }
}

/// The results for an input: the value and position of each channel.
private struct LayerRecord {
  struct Value {
    let value: Float
    let row, column: Int32
  }

  let activation: [Value]
  /// For each class, the values of the channels.
  let relevance: [[Value]]
  /// For each class, the channels' shares in integer units.
  let shares: [[Int64]]

  init(_ sums: LayerSums, of node: String, _ indexing: ConceptIndexing) throws {
    let layout = sums.layout
    guard layout.extents.count <= 2 else {
      throw EvaluationError(
        "node \(node) has positions along \(layout.extents.count) axes; expected rows and columns, tokens, or none")
    }
    func values(_ channels: [ChannelSum], _ what: String) throws -> [Value] {
      let own = channels.map { indexing.statistic == .sum ? $0.sum : Double($0.peak) }
      let whole = indexing.isNormalized ? own.reduce(0) { $0 + abs($1) } : 1
      return try zip(channels, own).map { channel, own in
        let value = Float(whole > 0 ? own / whole : 0)
        guard value.isFinite else {
          throw EvaluationError("the \(what) at \(node) has values that are not finite (NaN or infinite)")
        }
        let position = layout.position(of: channel.place)
        return Value(
          value: value, row: position.first.map(Int32.init) ?? -1,
          column: position.count > 1 ? Int32(position[1]) : -1)
      }
    }
    activation = try values(sums.activation, "activation")
    relevance = try sums.relevance.map { try values($0, "relevance") }
    shares = sums.relevance.map { channels in
      let whole = channels.reduce(0) { $0 + abs($1.sum) }
      return channels.map { whole > 0 ? Int64(($0.sum / whole * ConceptIndex.Layer.unit).rounded()) : 0 }
    }
  }
}

extension ConceptIndex.Layer {
  /// Adds an input with its classes.
  fileprivate mutating func add(_ record: LayerRecord, item: Int, classes: [Int], countsClasses: Bool) {
    let channels = record.activation.count
    if shares.isEmpty { shares = [Int64](repeating: 0, count: channels) }
    explanations += classes.count
    func entry(_ value: LayerRecord.Value, _ classIndex: Int) -> ReferenceRanking.Entry {
      ReferenceRanking.Entry(
        input: Int32(item), classIndex: Int32(classIndex), value: value.value, row: value.row, column: value.column)
    }
    for channel in 0..<channels {
      // An input occurs once per channel, with the class for which the channel has the largest relevance.
      var best: (class: Int, value: LayerRecord.Value)?
      for (number, classIndex) in classes.enumerated() {
        let value = record.relevance[number][channel]
        if best.map({ value.value > $0.value.value }) ?? true { best = (classIndex, value) }
        shares[channel] += record.shares[number][channel]
        guard countsClasses else { continue }
        let top = relevance.top
        relevanceByClass[classIndex, default: ReferenceRanking(top: top)].offer(entry(value, classIndex), to: channel)
        activationByClass[classIndex, default: ReferenceRanking(top: top)].offer(
          entry(record.activation[channel], classIndex), to: channel)
      }
      guard let best else { continue }
      relevance.offer(entry(best.value, best.class), to: channel)
      activation.offer(entry(record.activation[channel], best.class), to: channel)
    }
  }
}
