import RelevanceTensors

extension NeuralNetwork {
  /// Whether the input's channels are last (batch × height × width × channels), as TensorFlow's exporters write it.
  /// This is so if all nodes that use the pixels first move the channels to the second axis, or if no convolution comes
  /// before and the input has the shape of such an image.
  ///
  /// - Complexity: O(nodes and edges).
  public var hasChannelsLast: Bool {
    guard inputShape.extents.count == 4 else { return false }
    let consumers = graph.consumers
    var pending = consumers[input.index]
    var isTransposed = false
    while let id = pending.popLast() {
      switch graph[id].operation {
      case let transpose as Transpose:
        guard transpose.order == [0, 3, 1, 2] else { return false }
        isTransposed = true
      // Scaling and shifting of pixels keep their order.
      case is any PairwiseFunction, is Cast, is Identity: pending += consumers[id.index]
      // Shape arithmetic does not use the pixels.
      case is ShapeOf: break
      case let operation: return !operation.isWeighted && declaresChannelsLast
      }
    }
    return isTransposed
  }

  /// Whether the declared shape fits only an image whose channels are last.
  private var declaresChannelsLast: Bool {
    let extents = inputShape.extents.map { if case .fixed(let extent) = $0 { extent } else { Int?.none } }
    guard let channels = extents[3], [1, 3, 4].contains(channels) else { return false }
    return extents[1...2].allSatisfy { $0.map { $0 > 4 } ?? true }
  }

  /// The axes of the input's channels, rows and columns; nil unless it has four axes.
  private var imageAxes: (channels: Int, rows: Int, columns: Int)? {
    guard inputShape.extents.count == 4 else { return nil }
    return hasChannelsLast ? (3, 1, 2) : (1, 2, 3)
  }

  /// The extents that the input declares for an image; nil if an extent is open or the input is not an image.
  package var imageExtents: (channels: Int?, height: Int?, width: Int?) {
    guard let axes = imageAxes else { return (nil, nil, nil) }
    func extent(_ axis: Int) -> Int? { if case .fixed(let extent) = inputShape.extents[axis] { extent } else { nil } }
    return (extent(axes.channels), extent(axes.rows), extent(axes.columns))
  }

  /// The number of items in a batch that the input fixes; 1 if it is open.
  package var fixedBatch: Int {
    guard imageAxes != nil, case .fixed(let items) = inputShape.extents[0] else { return 1 }
    return items
  }

  /// The kind of the input's elements, as the file declares it.
  package var inputElements: ElementKind { (graph[input].operation as? Input)?.elements ?? .real }

  /// A shape that the network accepts: fixed extents as declared, one item, and the given extents where an image's are
  /// open.
  package func exampleInputShape(channels: Int, height: Int, width: Int) -> TensorShape {
    guard let axes = imageAxes else { return exampleInputShape(side: min(height, width)) }
    let given = [axes.channels: channels, axes.rows: height, axes.columns: width]
    let extents = inputShape.extents.enumerated().map { axis, extent in
      if case .fixed(let extent) = extent { extent } else { given[axis] ?? 1 }
    }
    return (try? TensorShape(checking: extents)) ?? exampleInputShape(side: min(height, width))
  }

  /// An image, 1 × channels × height × width, in the form that the network expects: with channels last if necessary,
  /// and repeated if the network takes a fixed number of images.
  package func arranged(_ image: Tensor) -> Tensor {
    let single = hasChannelsLast ? image.transposed([0, 2, 3, 1]) : image
    return repeated(single)
  }

  /// One item, repeated to the batch size that the input fixes.
  package func repeated(_ item: Tensor) -> Tensor {
    guard fixedBatch > 1, item.shape.rank == 4, item.shape[0] == 1 else { return item }
    return Tensor(joining: [Tensor](repeating: item, count: fixedBatch))
  }

  /// The network with an open batch instead of a fixed one, if it then computes the same for each item; otherwise nil.
  package func openingBatch() -> NeuralNetwork? {
    guard fixedBatch > 1, let declared = graph[input].operation as? Input,
      let before = try? analysis(forInput: exampleInputShape()),
      case .items = batching(before: logits, before.inferred)
    else { return nil }
    let shape = SymbolicShape([.symbolic("batch")] + declared.shape.extents.dropFirst())
    var nodes = graph.nodes
    nodes[input.index] = Node(
      name: graph[input].name, operation: Input(shape, of: declared.elements), inputs: [], aliases: graph[input].aliases
    )
    guard
      let open = try? Graph(
        name: graph.name, nodes: nodes, output: graph.output, outputName: graph.outputName,
        outputNames: graph.outputNames, joinedOutputs: graph.explainedOutputs, keptOutputs: graph.keptOutputs,
        boxes: graph.boxes),
      let network = try? NeuralNetwork(open), let found = try? network.analysis(forInput: network.exampleInputShape()),
      case .items(1, let sharesWalks) = network.batching(before: network.logits, found.inferred), sharesWalks
    else { return nil }
    return network
  }
}
