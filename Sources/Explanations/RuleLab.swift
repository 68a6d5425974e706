import RelevanceNetworks
import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// A comparison of rules on one layer, with the activations of a recorded run or of custom values.
///
/// Relevance is propagated through this layer only, from its output to its operand. The layer's rule in the rule table
/// does not matter.
/// ```swift
/// let lab = RuleLab(try explainer.trace(image))
/// let seen = try lab.experiment(
///   [ZPlusRule(), GammaRule(), EpsilonRule()], at: "conv4_2", seed: .relevance(of: .class(8)))
/// for one in seen { print(one.rule, one.sum, one.giniCoefficient, one.compared(with: seen[0]).cosine) }
/// ```
public struct RuleLab: Sendable {
  /// Relevance at the output of a layer.
  public enum Seed: Sendable {
    /// The activation of one unit of a channel: at a position or, by default, where the activation is largest.
    case unit(channel: Int, position: [Int]? = nil)
    /// The activations of a channel at all positions.
    case channel(Int)
    /// The relevance that arrives at the layer when a target is explained under the trace's rule table; signed for
    /// contrastive methods.
    case relevance(of: Target, by: any AttributionMethod = .lrp)
    /// Custom relevance in the shape of the output.
    case tensor(Tensor)
  }

  /// The run that provides the activations.
  public let trace: Trace

  /// Makes a lab for a recorded run.
  public init(_ trace: Trace) { self.trace = trace }

  /// Makes a lab for a single operator; see `init(layer:operand:operandRange:threads:)`.
  package init(
    layer: any RelevanceNetworks.Operator, operand: Tensor, operandRange: PixelRange? = nil, threads: Int? = nil
  ) throws {
    let shape = SymbolicShape(operand.shape.dimensions.map { .fixed($0) })
    let nodes = [
      Node(name: "operand", operation: Input(shape), inputs: []),
      Node(name: "layer", operation: layer, inputs: [Node.ID(0)]),
    ]
    let network = try NeuralNetwork(Graph(name: "lab", nodes: nodes, output: Node.ID(1)))
    // Any rule works here, because no backward pass uses this table.
    let table = RuleTable(name: "lab", rows: RuleTable.gradient().rows, pixelRange: operandRange)
    trace = try Explainer(network, rules: table, threads: threads).trace(operand)
  }

  /// Propagates the same relevance through one layer by each of several rules.
  ///
  /// If the task is canceled, the function stops after the current rule.
  ///
  /// - Throws: `RelevanceKitError` if the layer or the seed does not exist, if the table does not fit between the
  ///   target and the layer, if a rule does not apply to the layer, or if a rule has a parameter with an invalid value;
  ///   `CancellationError` if the task is canceled.
  /// - Complexity: one step of a backward pass per rule; a seed of relevance also needs a backward pass from the target
  ///   to the layer.
  public func experiment(_ rules: [any Rule], at node: String, seed: Seed) throws -> [Observation] {
    let site = try site(named: node)
    for rule in rules {
      try (rule as? any Parameterized)?.checkParameters()
      if let objection = rule.objection(at: site) {
        throw RuleLabError.notApplicable(rule: rule.description, node: site.node.name, objection)
      }
    }
    let relevance = try relevance(of: seed, at: site)
    // All rules are observed at the same operand, so that they can be compared.
    let senders = site.node.inputs.indices.map { index in rules.count { $0.sendsRelevance(to: index, at: site) } }
    let index = senders.firstIndex(of: senders.max() ?? 0) ?? 0
    let operand = site.node.inputs[index]
    let shape = trace.propagator.trace.shape(of: operand)
    return try rules.map { rule in
      try Task.checkCancellation()
      let (shares, entry) = trace.propagator.apply(rule, at: site.id, to: relevance)
      guard shares[index]?.isFinite ?? true else {
        throw RuleLabError.resultNotFinite(node: site.node.name, by: rule.description)
      }
      return Observation(
        rule: rule.description, operand: trace.plan.network.graph[operand].name,
        relevance: shares[index]?.reshaped(to: shape) ?? Tensor(shape: shape), ledger: entry)
    }
  }

  /// The position of the largest activation of a node's channel; the first one if several are equal, in the first item
  /// of a batch.
  package func largestPosition(inChannel channel: Int, at node: String) throws -> [Int] {
    let site = try site(named: node)
    return try Channel(channel, of: trace.propagator.trace.value(of: site.id), at: site.node.name).largestPosition
  }

  /// The node with a name, if relevance can arrive at it.
  private func site(named name: String) throws -> RuleSite {
    let network = trace.plan.network
    let id = try network.graph.requiredNode(named: name)
    guard let site = trace.plan[id]?.site else {
      throw RuleLabError.unreachable(name, isInput: id == network.input, table: trace.plan.table.name)
    }
    return site
  }

  // MARK: Seeds

  private func relevance(of seed: Seed, at site: RuleSite) throws -> Tensor {
    let output = trace.propagator.trace.value(of: site.id)
    let name = site.node.name
    func channel(_ index: Int) throws -> Channel {
      let channel = try Channel(index, of: output, at: name)
      try site.node.checkSign(ofChannel: index, called: name)
      return channel
    }
    switch seed {
    case .tensor(let tensor):
      guard tensor.shape == output.shape else {
        throw RuleLabError.seedShape(node: name, expected: output.shape, found: tensor.shape)
      }
      guard tensor.isFinite else { throw RuleLabError.seedNotFinite(node: name) }
      return tensor
    case .relevance(let target, let method):
      return try trace.relevance(of: target, at: site.node.name, by: method)
    case .channel(let index):
      return try channel(index).seed { plane in plane.indices }
    case .unit(let index, let position):
      let channel = try channel(index)
      let place = try position.map(channel.place)
      return channel.seed { plane in
        let place = place ?? Channel.largest(plane)
        return place..<place + 1
      }
    }
  }
}

/// One channel of a node's values.
private struct Channel {
  private let values: Tensor
  private let node: String
  private let index: Int
  /// The extents of the axes after the channel axis.
  private var extents: TensorShape { TensorShape(Array(values.shape.dimensions.dropFirst(2))) }

  init(_ index: Int, of values: Tensor, at node: String) throws {
    let channels = values.shape.rank > 1 ? values.shape[1] : 0
    guard (0..<channels).contains(index) else {
      throw RuleLabError.noSuchChannel(index, node: node, channels: channels)
    }
    (self.values, self.node, self.index) = (values, node, index)
  }

  /// The index of the largest value in a plane; the first one if several are equal.
  static func largest(_ plane: UnsafeBufferPointer<Float>) -> Int {
    plane.indices.reduce(0) { plane[$1] > plane[$0] ? $1 : $0 }
  }

  var largestPosition: [Int] {
    let plane = extents.count
    return extents.coordinates(
      of: values.withUnsafeElements {
        Self.largest(UnsafeBufferPointer(rebasing: $0[index * plane..<(index + 1) * plane]))
      })
  }

  /// The index of a position in the channel's plane.
  func place(of position: [Int]) throws -> Int {
    guard let place = extents.place(of: position) else {
      throw RuleLabError.noSuchPosition(position, node: node, extents: extents.dimensions)
    }
    return place
  }

  /// Zeros, except for the channel's values at the positions that `body` selects in the plane of each item.
  func seed(_ body: (UnsafeBufferPointer<Float>) -> Range<Int>) -> Tensor {
    var seed = Tensor(shape: values.shape)
    let plane = extents.count
    seed.withUnsafeMutableElements { seed in
      values.withUnsafeElements { values in
        for item in 0..<self.values.shape[0] {
          let start = (item * self.values.shape[1] + index) * plane
          for place in body(UnsafeBufferPointer(rebasing: values[start..<start + plane])) {
            seed[start + place] = values[start + place]
          }
        }
      }
    }
    return seed
  }
}

/// An experiment that is not possible.
package enum RuleLabError: RelevanceKitError {
  case unreachable(String, isInput: Bool, table: String)
  case notApplicable(rule: String, node: String, String)
  case noSuchChannel(Int, node: String, channels: Int)
  case noSuchPosition([Int], node: String, extents: [Int])
  case seedShape(node: String, expected: TensorShape, found: TensorShape)
  case seedNotFinite(node: String)
  case resultNotFinite(node: String, by: String)

  package var category: ErrorCategory { .usage }

  package var description: String {
    switch self {
    case .unreachable(let name, let isInput, let table):
      isInput
        ? "node \(name) is the network's input, which has no rule; expected a node after it"
        : "no relevance arrives at node \(name) under rule table \(table)"
    case .notApplicable(let rule, let node, let objection): "rule \(rule) cannot be used at node \(node): \(objection)"
    case .noSuchChannel(let channel, let node, let channels):
      channels == 0
        ? "node \(node) has no channels"
        : "node \(node) has no channel \(channel): its channels are 0 to \(channels - 1)"
    case .noSuchPosition(let position, let node, let extents):
      "node \(node) has no position \(Self.list(position)): "
        + (extents.isEmpty
          ? "its channels are single units"
          : "its positions are \(Self.list(extents.map { _ in 0 })) to \(Self.list(extents.map { $0 - 1 }))")
    case .seedShape(let node, let expected, let found):
      "the seed at node \(node) has shape \(found); expected \(expected), the shape of its output"
    case .resultNotFinite(let node, let rules):
      "the relevance propagated from the output of node \(node) by \(rules) has values that are not finite (NaN or "
        + "infinite); expected a seed of moderate size"
    case .seedNotFinite(let node): "the seed at node \(node) has values that are not finite (NaN or infinite)"
    }
  }

  private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }
}
