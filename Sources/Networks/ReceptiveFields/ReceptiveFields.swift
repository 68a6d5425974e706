import RelevanceSupport
import RelevanceTensors

/// The receptive fields of a node's positions, for inputs of one shape.
///
/// Positions are all indices along the axes of the node's output except batch and channels: rows and columns of feature
/// maps, or tokens. Elements are followed back through every operator: windows with strides, dilation and padding,
/// branches, reshapes and transpositions, interpolation. The field of an operator that mixes everything, such as
/// attention, is everything. The network is not run.
///
/// Fields are computed on first use and cached.
public final class ReceptiveFields: Sendable {
  /// The node.
  public let node: Node.ID
  /// The shape of the inputs.
  public let inputShape: TensorShape
  /// The extents of the node's positions, such as rows and columns; empty for a node with only batch and channels.
  public let extents: [Int]
  let network: NeuralNetwork
  let axes: Axes
  private let walk: SourceWalk
  private let fields = Cache<[Int], ReceptiveField>(limit: 1 << 14)

  /// The axes of positions.
  struct Axes: Sendable {
    /// The axes of positions in the node's output.
    let node: [Int]
    /// The channel axis. A position includes all channels.
    let channels: Int?
    /// The axes of positions in the input.
    let input: [Int]
  }

  init(of node: Node.ID, in network: NeuralNetwork, forInput shape: TensorShape) throws {
    let inferred = try network.analysis(forInput: shape).inferred
    guard let walk = SourceWalk(from: node, in: network, inferred) else {
      throw ReceptiveFieldError.independent(node: network.graph[node].name)
    }
    (self.node, self.network, self.walk, inputShape) = (node, network, walk, shape)
    axes = network.positionAxes(of: node, inferred)
    extents = axes.node.map { walk.shape[$0] }
  }

  /// The receptive field of a position.
  ///
  /// - Parameter position: An index along each axis of the node's positions: row and column, or the index of a token.
  ///   Empty for a node without positions, whose elements then all count. In a batch, the first item is used.
  /// - Returns: The field in the input.
  /// - Throws: `RelevanceKitError` if the node has no such position.
  /// - Complexity: O(1) for a position that was requested before; otherwise O(nodes and edges) times the extents of the
  ///   outputs.
  public func field(at position: [Int]) throws -> ReceptiveField {
    guard position.count == extents.count, zip(position, extents).allSatisfy({ (0..<$1).contains($0) }) else {
      throw ReceptiveFieldError.noSuchPosition(
        position, node: network.graph[node].name, shape: walk.shape, extents: extents)
    }
    return fields.value(for: position) { axes.field(at: position, walk) }
  }

  /// The position in the middle.
  public var middle: [Int] { extents.map { $0 / 2 } }
}

extension ReceptiveFields.Axes {
  /// The field of a position of the node where a walk starts.
  func field(at position: [Int], _ walk: SourceWalk) -> ReceptiveField {
    var elements = ElementSet(noneOf: walk.shape)
    elements.insert(
      ElementSet.Block(
        axes: walk.shape.dimensions.enumerated().map { axis, extent in
          if axis == channels { return [Bool](repeating: true, count: extent) }
          // The remaining axis is the batch.
          let index = node.firstIndex(of: axis).map { position[$0] } ?? 0
          return (0..<extent).map { $0 == index }
        }))
    let sources = walk.sources(of: elements)
    var positions = sources.mapped(to: TensorShape(input.map { walk.inputShape[$0] })) { block in
      input.map { block.axes[$0] }
    }
    positions.meetsPadding = sources.meetsPadding
    return ReceptiveField(positions)
  }
}

extension NeuralNetwork {
  /// The receptive fields of a node's positions.
  ///
  /// - Parameters:
  ///   - node: The node's name, or the name of a node that was merged into it.
  ///   - shape: The shape of the inputs. Nil is the declared shape, with batch 1 and, for an open height and width, the
  ///     first of some usual sizes that fits.
  /// - Throws: `RelevanceKitError` if there is no such node, if it does not depend on the input, or if the shape does
  ///   not fit.
  /// - Complexity: O(nodes and edges).
  public func receptiveFields(of node: String, forInput shape: TensorShape? = nil) throws -> ReceptiveFields {
    try ReceptiveFields(of: graph.requiredNode(named: node), in: self, forInput: shape ?? fittingInputShape())
  }

  /// The receptive field of a position of a node's output.
  ///
  /// For many positions of a node, `receptiveFields(of:forInput:)` is faster.
  ///
  /// - Parameters:
  ///   - node: The node's name, or the name of a node that was merged into it.
  ///   - position: An index along each axis of the node's positions: row and column, or the index of a token. Empty for
  ///     a node without positions.
  ///   - shape: The shape of the inputs. Nil is the declared shape, as in `receptiveFields(of:forInput:)`.
  /// - Throws: `RelevanceKitError` if there is no such node or position, if the node does not depend on the input, or
  ///   if the shape does not fit.
  /// - Complexity: O(nodes and edges) times the extents of the outputs.
  public func receptiveField(of node: String, at position: [Int], forInput shape: TensorShape? = nil) throws
    -> ReceptiveField
  {
    try receptiveFields(of: node, forInput: shape).field(at: position)
  }

  /// The axes of the node's positions and of the input's positions.
  func positionAxes(of node: Node.ID, _ inferred: [Inferred]) -> ReceptiveFields.Axes {
    let (shape, image) = (inferred[node.index].shape, inferred[input.index].shape)
    let known = channelAxes(inferred)
    let channels = shape.rank > 1 ? known[node.index] ?? 1 : nil
    // The first axis is an axis of positions if it does not count the items of the batch, but windows.
    let isBatch = shape.rank > 0 && (shape[0] == 1 || itemLayouts(before: node, inferred)[node.index] == .items)
    let own = shape.dimensions.indices.filter { $0 != channels && !($0 == 0 && isBatch) }
    let behind = Array(image.dimensions.indices.dropFirst())
    // Features without positions are treated individually.
    let withoutChannels = behind.filter { $0 != known[input.index] }
    let others = withoutChannels.isEmpty ? behind.isEmpty ? Array(image.dimensions.indices) : behind : withoutChannels
    return ReceptiveFields.Axes(node: own, channels: channels == 0 && isBatch ? nil : channels, input: others)
  }
}
