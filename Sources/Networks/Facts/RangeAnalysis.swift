import RelevanceTensors

extension NeuralNetwork {
  /// The interval of a node's values for pixels in `pixels`, if it follows from the graph; otherwise nil.
  ///
  /// Rule z^B needs it for the input of the first convolution, which may differ from the network's input. The interval
  /// contains every value that the node can have. It is the smallest such interval after a chain of nodes that move,
  /// scale, shift or interpolate elements, or apply an elementwise function. If operands depend on one another, as in
  /// `x − mean(x)`, it may be wider. Weighted layers and normalizations by statistics of the input end it.
  ///
  /// - Complexity: At most O(elements of the nodes before it). If intervals differ only by channel, O(nodes ×
  ///   channels).
  package func range(of id: Node.ID, pixels: PixelRange) -> ValueRange? { ranges(of: [id], pixels: pixels)[id] }

  /// The same for several nodes. Without a pixel range, the intervals that hold for all pixels: values of a sigmoid,
  /// and values computed from them by scaling, shifting and moving.
  package func ranges(of wanted: Set<Node.ID>, pixels: PixelRange?) -> [Node.ID: ValueRange] {
    let shape = exampleInputShape()
    guard !wanted.isEmpty,
      let analysis = RangeAnalysis(graph, of: wanted, pixels, inputShape: shape)
        ?? (try? fittingInputShape()).flatMap({ RangeAnalysis(graph, of: wanted, pixels, inputShape: $0) })
    else { return [:] }
    let found = analysis.ranges()
    // Bounds for one size need not hold for others.
    guard let other = otherInputShape(than: analysis.inputShape),
      let others = RangeAnalysis(graph, of: wanted, pixels, inputShape: other)?.ranges()
    else { return found }
    return found.reduce(into: [:]) { result, entry in
      result[entry.key] = others[entry.key].flatMap { entry.value.holdingForAllSizes(as: $0) }
    }
  }

  /// A shape that differs from another one along all open axes; nil if there are none.
  private func otherInputShape(than shape: TensorShape) -> TensorShape? {
    let open = inputShape.extents.indices.filter { if case .symbolic = inputShape.extents[$0] { true } else { false } }
    guard !open.isEmpty else { return nil }
    return try? TensorShape(
      checking: shape.dimensions.enumerated().map { axis, extent in
        open.contains(axis) ? (axis == 0 ? extent + 1 : extent + 32) : extent
      })
  }
}

extension ValueRange {
  /// Bounds that hold for inputs of any size, given the bounds for two sizes: one interval per axis whose extents
  /// differ.
  fileprivate func holdingForAllSizes(as other: ValueRange) -> ValueRange? {
    guard shape.rank == other.shape.rank else { return nil }
    let axes = shape.dimensions.indices.filter { shape[$0] != other.shape[$0] }
    let (a, b) = (hull(along: axes), other.hull(along: axes))
    return ValueRange(lower: a.lower.combined(with: b.lower, min), upper: a.upper.combined(with: b.upper, max))
  }
}

/// A node whose interval is computed, and the known properties of its operands.
package struct RangeSite {
  package let operands: [Inferred]
  package let output: Inferred
  package let operandsAreSame: Bool
  fileprivate let ranges: [ValueRange?]

  package func range(_ index: Int) -> ValueRange? { ranges.indices.contains(index) ? ranges[index] : nil }
}

/// Propagates intervals from the input through a graph, for inputs of one shape.
private struct RangeAnalysis {
  let inputShape: TensorShape
  private let graph: Graph
  private let wanted: Set<Node.ID>
  private let pixels: PixelRange?
  /// The known properties of the nodes; nil for nodes whose operands do not fit.
  private let inferred: [Inferred?]

  /// Prepares to find the ranges of some nodes; nil if their operands, or those of nodes before them, do not fit.
  init?(_ graph: Graph, of wanted: Set<Node.ID>, _ pixels: PixelRange?, inputShape: TensorShape) {
    (self.graph, self.wanted, self.pixels, self.inputShape) = (graph, wanted, pixels, inputShape)
    inferred = graph.partlyInferred(forInput: inputShape)
    guard wanted.allSatisfy({ inferred[$0.index] != nil }) else { return nil }
  }

  func ranges() -> [Node.ID: ValueRange] {
    let last = wanted.max() ?? Node.ID(0)
    var ranges: [Node.ID: ValueRange] = [:]
    for id in graph.ids where id <= last {
      guard let own = inferred[id.index], own.shape.count > 0 else { continue }
      ranges[id] = range(of: graph[id], own, ranges)
    }
    return ranges.filter { wanted.contains($0.key) }
  }

  /// The interval of the input: one per channel, or one for all pixels if channels do not differ.
  private func inputRange() -> ValueRange? {
    guard let pixels else { return nil }
    var extents = [Int](repeating: 1, count: inputShape.rank)
    let channels = pixels.lower.count
    // Channels are second or last.
    guard inputShape.rank >= 2, let axis = [1, extents.count - 1].first(where: { inputShape[$0] == channels }) else {
      guard Set(pixels.lower).count == 1, Set(pixels.upper).count == 1 else { return nil }
      return ValueRange(pixels.lower[0], pixels.upper[0], rank: inputShape.rank)
    }
    extents[axis] = channels
    return ValueRange(
      lower: Tensor(shape: TensorShape(extents), elements: pixels.lower),
      upper: Tensor(shape: TensorShape(extents), elements: pixels.upper))
  }

  private func range(of node: Node, _ own: Inferred, _ ranges: [Node.ID: ValueRange]) -> ValueRange? {
    if node.operation is Input { return inputRange() }
    if let literal = own.literal { return ValueRange(lower: literal.floats, upper: literal.floats) }
    let operands = node.inputs.compactMap { inferred[$0.index] }
    // Integers that are rounded or wrap do not keep intervals.
    if node.operation.isStepwise(of: operands.map(\.kind)) { return nil }
    return node.operation.range(
      at: RangeSite(
        operands: operands, output: own, operandsAreSame: Set(node.inputs).count == 1 && node.inputs.count > 1,
        ranges: node.inputs.map { ranges[$0] }))
  }
}
