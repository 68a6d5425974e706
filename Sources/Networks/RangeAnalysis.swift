import Tensors

extension Network {
  /// The interval of a node's values when pixels lie in `pixels`, as far as it follows from the graph; nil if it does not.
  ///
  /// Rule z^B needs it for the input of the first convolution, which need not be the network's own. The interval holds every value
  /// that the node can take. It is the smallest one behind a chain of nodes that move, scale, shift or interpolate elements, or
  /// apply a function to each; where operands depend on one another, as in `x − mean(x)`, it may be wider. Weighted layers
  /// and normalizations by statistics of the input end it.
  ///
  /// - Complexity: O(elements of the nodes before it) at most; where intervals differ by channel only, O(nodes × channels).
  public func range(of id: Node.ID, pixels: PixelRange) -> ValueRange? { ranges(of: [id], pixels: pixels)[id] }

  /// The intervals of several nodes, as far as they follow.
  package func ranges(of wanted: Set<Node.ID>, pixels: PixelRange) -> [Node.ID: ValueRange] {
    let shape = exampleInputShape()
    guard !wanted.isEmpty,
      let analysis = (try? RangeAnalysis(graph, of: wanted, pixels, inputShape: shape))
        ?? (try? RangeAnalysis(graph, of: wanted, pixels, inputShape: fittingInputShape()))
    else { return [:] }
    let found = analysis.ranges()
    // Bounds that were told for one size need not hold for others.
    guard let other = otherInputShape(than: analysis.inputShape),
      let others = try? RangeAnalysis(graph, of: wanted, pixels, inputShape: other).ranges()
    else { return found }
    return found.reduce(into: [:]) { result, entry in
      result[entry.key] = others[entry.key].flatMap { entry.value.holdingForAllSizes(as: $0) }
    }
  }

  /// A shape that differs from another one along all open axes; nil if there are none.
  private func otherInputShape(than shape: Shape) -> Shape? {
    let open = inputShape.extents.indices.filter { if case .symbolic = inputShape.extents[$0] { true } else { false } }
    guard !open.isEmpty else { return nil }
    return try? Shape(
      checking: shape.dimensions.enumerated().map { axis, extent in
        open.contains(axis) ? (axis == 0 ? extent + 1 : extent + 32) : extent
      })
  }
}

extension ValueRange {
  /// Bounds that hold for inputs of any size, given those for two sizes: one interval where the extents differ.
  fileprivate func holdingForAllSizes(as other: ValueRange) -> ValueRange? {
    guard shape.rank == other.shape.rank else { return nil }
    let axes = shape.dimensions.indices.filter { shape[$0] != other.shape[$0] }
    let (a, b) = (hull(along: axes), other.hull(along: axes))
    return ValueRange(lower: a.lower.combined(with: b.lower, min), upper: a.upper.combined(with: b.upper, max))
  }
}

/// Carries intervals from the input through a graph, for inputs of one shape.
private struct RangeAnalysis {
  let inputShape: Shape
  private let graph: Graph
  private let wanted: Set<Node.ID>
  private let pixels: PixelRange
  /// What is known of the wanted nodes and those before them; nil for others.
  private let inferred: [Inferred?]

  /// Prepares to find the ranges of some nodes.
  ///
  /// - Throws: As `Graph.inferred(forInput:)`, for these nodes and those before them.
  init(_ graph: Graph, of wanted: Set<Node.ID>, _ pixels: PixelRange, inputShape: Shape) throws {
    (self.graph, self.wanted, self.pixels, self.inputShape) = (graph, wanted, pixels, inputShape)
    var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
    for id in wanted { isNeeded[id.index] = true }
    for id in graph.ids.reversed() where isNeeded[id.index] {
      for operand in graph[id].inputs { isNeeded[operand.index] = true }
    }
    var inferred = [Inferred?](repeating: nil, count: graph.nodes.count)
    for id in graph.ids where isNeeded[id.index] {
      if case .input(_, let kind) = graph[id].operation {
        inferred[id.index] = Inferred(inputShape, kind)
      } else {
        let operands = graph[id].inputs.compactMap { inferred[$0.index] }
        inferred[id.index] = try graph[id].operation.inferred(from: operands, largest: Graph.largestComputedCount)
      }
    }
    self.inferred = inferred
  }

  /// The intervals of the wanted nodes, as far as they are known.
  func ranges() -> [Node.ID: ValueRange] {
    var ranges: [Node.ID: ValueRange] = [:]
    for id in graph.ids {
      guard let own = inferred[id.index], own.shape.count > 0 else { continue }
      ranges[id] = range(of: graph[id], own, ranges)
    }
    return ranges.filter { wanted.contains($0.key) }
  }

  /// The interval of the input: one per channel, or one for all pixels if channels do not differ.
  private func inputRange() -> ValueRange? {
    var extents = [Int](repeating: 1, count: inputShape.rank)
    let channels = pixels.lower.count
    // Channels come second, or last.
    guard inputShape.rank >= 2, let axis = [1, extents.count - 1].first(where: { inputShape[$0] == channels }) else {
      guard Set(pixels.lower).count == 1, Set(pixels.upper).count == 1 else { return nil }
      return ValueRange(pixels.lower[0], pixels.upper[0], rank: inputShape.rank)
    }
    extents[axis] = channels
    return ValueRange(
      lower: Tensor(shape: Shape(extents), elements: pixels.lower),
      upper: Tensor(shape: Shape(extents), elements: pixels.upper))
  }

  private func range(of node: Node, _ own: Inferred, _ ranges: [Node.ID: ValueRange]) -> ValueRange? {
    if let literal = own.literal { return ValueRange(lower: literal.floats, upper: literal.floats) }
    let operands = node.inputs.compactMap { inferred[$0.index] }
    // Integers that are rounded or wrap do not keep intervals.
    if node.operation.isStepwise(of: operands.map(\.kind)) { return nil }
    func operand(_ index: Int) -> ValueRange? { ranges[node.inputs[index]] }
    func pair(_ function: (Interval, Interval) -> Interval?) -> ValueRange? {
      guard let a = operand(0), let b = operand(1) else { return nil }
      return a.combined(with: b, function)
    }
    switch node.operation {
    case .input: return inputRange()
    case .add: return pair(+)
    case .multiply where node.inputs[0] == node.inputs[1]: return operand(0)?.mapped(\.squared)
    case .multiply: return pair(*)
    case .binary(let function): return pair(function.interval)
    case .unary(let function):
      if let range = operand(0)?.mapped(function.interval) { return range }
      return function.bounds.flatMap { ValueRange($0.lower, $0.upper, rank: own.shape.rank) }
    case .relu: return operand(0)?.mapped { Interval(max($0.lower, 0), max($0.upper, 0)) }
    case .parametricRelu(let slope):
      return ValueRange(lower: slope, upper: slope).flatMap { slopes in
        operand(0)?.combined(with: slopes) { x, slope in
          let leaky = UnaryFunction.leakyRelu(alpha: slope.lower)
          return leaky.interval(x)
        }
      }
    case .softmax: return ValueRange(0, 1, rank: own.shape.rank)
    case .batchNormalization(let parameters):
      var extents = [Int](repeating: 1, count: own.shape.rank)
      extents[1] = parameters.scale.count
      let scale = parameters.scale.reshaped(to: Shape(extents))
      let shift = parameters.shift.reshaped(to: Shape(extents))
      guard let scale = ValueRange(lower: scale, upper: scale), let shift = ValueRange(lower: shift, upper: shift)
      else { return nil }
      return operand(0)?.combined(with: scale, *)?.combined(with: shift, +)
    case .cast(let kind):
      guard let x = operand(0) else { return nil }
      switch kind {
      case .real: return x
      // Fractions are cut off, or kept where the cast is one by name only.
      case .integer:
        return x.mapped {
          Interval(min($0.lower, $0.lower.rounded(.towardZero)), max($0.upper, $0.upper.rounded(.towardZero)))
        }
      case .truth: return x.including(0)?.including(1)
      }
    case .dropout, .identity: return operand(0)
    case .flatten, .reshape, .squeeze, .unsqueeze: return operand(0)?.reshaped(from: operands[0].shape, to: own.shape)
    case .slice, .part, .gather, .pad, .expand, .transpose:
      guard let selection = try? node.operation.selection(of: operands) else { return nil }
      var gathered: Int?
      if case .gather(let axis) = node.operation { gathered = axis < 0 ? axis + operands[0].shape.rank : axis }
      return operand(0)?.selected(by: selection, gathering: gathered)
    case .resize(let resize):
      return operand(0).flatMap { x in (try? resize.weights(of: operands[0].shape, operands)).flatMap(x.resized) }
    case .concat(let axis):
      let parts = node.inputs.compactMap { ranges[$0] }
      let counted = axis < 0 ? axis + own.shape.rank : axis
      guard parts.count == node.inputs.count else { return nil }
      return .joined(parts, along: counted, extents: operands.map { $0.shape[counted] })
    case .maxPool: return operand(0).map { $0.hull(along: Array(2..<max(own.shape.rank, 2))) }
    case .averagePool(let pool):
      let x = operand(0).map { $0.hull(along: Array(2..<max(own.shape.rank, 2))) }
      return pool.countsPadding && pool.window.mayPad ? x?.including(0) : x
    case .mean(let mean):
      guard let axes = try? mean.axes(forRank: operands[0].shape.rank) else { return nil }
      let result = operand(0)?.reduced(over: axes, of: operands[0].shape, as: .sum, isMean: true)
      return mean.keepsAxes ? result : result?.dropping(axes)
    case .reduce(let reduction):
      guard let axes = try? reduction.axes(of: operands[0].shape, operands) else { return nil }
      let result = operand(0)?.reduced(over: axes, of: operands[0].shape, as: reduction.function)
      return reduction.keepsAxes ? result : result?.dropping(axes)
    case .convolution, .linear, .transposedConvolution, .localResponseNormalization, .layerNormalization, .logSoftmax,
      .constant, .integers, .shape, .arithmetic:
      return nil
    }
  }
}

extension Window {
  /// Whether windows may reach past the edges of what they slide over.
  fileprivate var mayPad: Bool {
    if case .explicit(let before, let after) = padding { return ceilMode || (before + after).contains { $0 > 0 } }
    return true
  }
}
