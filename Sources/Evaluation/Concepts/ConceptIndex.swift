import RelevanceExplanations
import RelevanceNetworks
import RelevanceSupport

/// The concepts that the channels of some layers respond to, represented by the inputs of a data set with the largest
/// values of each channel. *Achtibat23*.
///
/// Ranked by relevance (RelMax), these are the inputs for whose class the channel is used. Ranked by activation
/// (ActMax), these are the inputs that activate it, whether or not the decision depends on the channel. The two
/// rankings often differ.
public struct ConceptIndex: Sendable {
  /// The value by which inputs are ranked.
  public enum Order: String, Sendable, CaseIterable {
    /// The channel's relevance for the explained class: RelMax.
    case relevance
    /// The channel's activation: ActMax.
    case activation
  }

  /// The rankings of a layer's channels.
  public struct Layer: Sendable, Hashable {
    /// The name of the node.
    public let node: String
    /// The inputs ranked by relevance.
    public internal(set) var relevance: ReferenceRanking
    /// The inputs ranked by activation.
    public internal(set) var activation: ReferenceRanking
    /// The inputs of each class ranked by relevance.
    public internal(set) var relevanceByClass: [Int: ReferenceRanking] = [:]
    /// The inputs of each class ranked by activation.
    public internal(set) var activationByClass: [Int: ReferenceRanking] = [:]
    /// The sum of each channel's shares of the layer's relevance, in integer units whose sum does not depend on the
    /// order.
    var shares: [Int64] = []
    /// The number of explanations in the sums.
    var explanations = 0

    /// The number of channels; 0 before the first input.
    public var channels: Int { relevance.channels }

    /// The best inputs of a channel.
    ///
    /// - Parameters:
    ///   - channel: the number of the channel.
    ///   - order: the value by which inputs are ranked.
    ///   - classIndex: the class of the inputs; nil for all classes.
    /// - Returns: The inputs in descending order of the value; empty for a class without inputs.
    public func references(
      of channel: Int, by order: Order = .relevance, classIndex: Int? = nil
    ) -> [ConceptReference] {
      let ranking =
        switch (order, classIndex) {
        case (.relevance, nil): relevance
        case (.activation, nil): activation
        case (.relevance, let index?): relevanceByClass[index]
        case (.activation, let index?): activationByClass[index]
        }
      return ranking.flatMap { $0.channels > channel ? $0[channel] : nil } ?? []
    }

    /// The mean of a channel's share of the layer's relevance, `R_c / Σ |R|`, over all explanations.
    public func meanShare(of channel: Int) -> Double {
      explanations > 0 ? Double(shares[channel]) / Self.unit / Double(explanations) : 0
    }

    /// The integer that represents a share of 1; a sum has room for 134 million of them.
    static let unit = Double(1 << 36)

    init(node: String, top: Int) {
      self.node = node
      (relevance, activation) = (ReferenceRanking(top: top), ReferenceRanking(top: top))
    }
  }

  /// An input that could not be used.
  package struct Failure: Codable, Sendable, Hashable {
    package let input: Int
    package let error: String
  }

  /// The description of the index: its inputs and settings.
  package var header: JournalHeader
  /// The names of the inputs.
  public let inputs: [String]
  /// The files of the inputs.
  public let files: [String]
  /// The layers, in the order in which they were specified.
  public internal(set) var layers: [Layer]
  /// The number of items of the shard that are done.
  package var done = 0
  package var failures: [Failure] = []

  /// Whether all inputs of the shard are done.
  public var isComplete: Bool { done == header.shard.count(of: header.items) }

  /// The layer of a node; nil if it is not in the index.
  public subscript(node: String) -> Layer? { layers.first { $0.node == node } }

  /// Whether the index was created with a network, identified by its nodes and weights.
  public func isOf(_ network: NeuralNetwork) -> Bool {
    header.configuration["network"] == [network.fingerprint.hexadecimal]
  }

  /// The number of inputs stored for each channel.
  public var top: Int { layers.first?.relevance.top ?? 0 }

  package init(header: JournalHeader, inputs: [String], files: [String], nodes: [String], top: Int) {
    (self.header, self.inputs, self.files) = (header, inputs, files)
    layers = nodes.map { Layer(node: $0, top: top) }
  }

  /// Adds the results of another shard.
  package mutating func merge(_ other: ConceptIndex) {
    for (index, layer) in other.layers.enumerated() { layers[index].merge(layer) }
    failures = (failures + other.failures).sorted { $0.input < $1.input }
    done += other.done
  }
}

extension ConceptIndex.Layer {
  mutating func merge(_ other: Self) {
    relevance.merge(other.relevance)
    activation.merge(other.activation)
    relevanceByClass.merge(other.relevanceByClass) { $0.merging($1) }
    activationByClass.merge(other.activationByClass) { $0.merging($1) }
    if shares.count < other.shares.count {
      shares += [Int64](repeating: 0, count: other.shares.count - shares.count)
    }
    for (channel, share) in other.shares.enumerated() { shares[channel] += share }
    explanations += other.explanations
  }
}

extension ReferenceRanking {
  func merging(_ other: ReferenceRanking) -> ReferenceRanking {
    var result = self
    result.merge(other)
    return result
  }
}
