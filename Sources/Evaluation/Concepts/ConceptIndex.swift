import RelevanceExplanations
import RelevanceNetworks
import RelevanceSupport

/// What the channels of some layers stand for: the inputs of a data set in which each counts most. *Achtibat23*.
///
/// By relevance (RelMax) they are those for whose class the channel is used, by activation (ActMax) those that excite
/// it, whether or not the decision depends on that. The two often differ.
public struct ConceptIndex: Sendable {
  /// What inputs are ranked by.
  public enum Order: String, Sendable, CaseIterable {
    /// By the channel's relevance for the class that is explained: RelMax.
    case relevance
    /// By the channel's activation: ActMax.
    case activation
  }

  /// A layer's channels.
  public struct Layer: Sendable, Hashable {
    /// The node.
    public let node: String
    /// By relevance.
    public internal(set) var relevance: ReferenceRanking
    /// By activation.
    public internal(set) var activation: ReferenceRanking
    /// The same of the inputs of each class.
    public internal(set) var relevanceByClass: [Int: ReferenceRanking] = [:]
    /// The same of the inputs of each class.
    public internal(set) var activationByClass: [Int: ReferenceRanking] = [:]
    /// The sum of each channel's shares of the layer's relevance, in units that add up exactly in whatever order.
    var shares: [Int64] = []
    /// How many explanations the sums are of.
    var explanations = 0

    /// How many channels there are; 0 before the first input.
    public var channels: Int { relevance.channels }

    /// The inputs of a channel.
    ///
    /// - Parameters:
    ///   - channel: its number.
    ///   - order: what they are ranked by.
    ///   - classIndex: of which class; nil for all.
    /// - Returns: the largest first; none of a class that no input has.
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

    /// The mean of a channel's share of the layer's relevance, `R_c / Σ |R|`, over all that was explained.
    public func meanShare(of channel: Int) -> Double {
      explanations > 0 ? Double(shares[channel]) / Self.unit / Double(explanations) : 0
    }

    /// What a share of 1 is as a whole number: 134 million of them fit into a sum.
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

  /// What it is of, and how it was made.
  package var header: JournalHeader
  /// The names of the inputs.
  public let inputs: [String]
  /// The files of the inputs.
  public let files: [String]
  /// The layers, in the order in which they were asked for.
  public internal(set) var layers: [Layer]
  /// How many items of the shard are done.
  package var done = 0
  package var failures: [Failure] = []

  /// Whether all inputs of the shard are done.
  public var isComplete: Bool { done == header.shard.count(of: header.items) }

  /// The layer of a node; nil if it is not in the index.
  public subscript(node: String) -> Layer? { layers.first { $0.node == node } }

  /// Whether it was made with a network: one of the same nodes and weights.
  public func isOf(_ network: NeuralNetwork) -> Bool {
    header.configuration["network"] == [network.fingerprint.hexadecimal]
  }

  /// How many inputs are kept for each channel.
  public var top: Int { layers.first?.relevance.top ?? 0 }

  package init(header: JournalHeader, inputs: [String], files: [String], nodes: [String], top: Int) {
    (self.header, self.inputs, self.files) = (header, inputs, files)
    layers = nodes.map { Layer(node: $0, top: top) }
  }

  /// Takes what another shard has.
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
