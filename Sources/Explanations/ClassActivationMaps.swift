import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// `max(0, Σ_k w_k ⊙ A_k)` at a layer for each target, where A_k are the activations of channel k: batch × 1 × height
  /// × width of the layer. The default layer is that of `defaultCAMLayer(for:)`. `weights` computes a weight for each
  /// position from the derivative of the score with respect to a channel's activations.
  func classActivationMaps(
    of targets: [Target], at name: String?, for method: some AttributionMethod,
    weights: (_ gradient: [Float]) -> [Float]
  ) throws -> [Tensor] {
    let (id, layout) = try camLayer(name, for: method)
    let activations = forward.itemByItem(forward.value(of: id), at: id)
    let propagator = try propagator(for: .gradient())
    return try inGroups(targets) { group, _ in
      let seeds = try VanillaGradient().seeds(for: group, in: self).tensors
      let gradient = propagator.relevance(arrivingAt: id, from: seeds, count: group.count)
      let distance = activations.count / batch
      return group.indices.map { number in
        var map = [Float](repeating: 0, count: batch * layout.positions)
        var slopes = [Float](repeating: 0, count: layout.positions)
        var values = slopes
        gradient.withUnsafeElements { gradient in
          activations.withUnsafeElements { activations in
            for item in 0..<batch {
              for channel in 0..<layout.channels {
                layout.gather(
                  channel: channel, of: gradient, from: (item * group.count + number) * distance, into: &slopes)
                layout.gather(channel: channel, of: activations, from: item * distance, into: &values)
                let weights = weights(slopes)
                for p in values.indices { map[item * layout.positions + p] += weights[p] * values[p] }
              }
            }
          }
        }
        return Tensor(shape: [batch, 1, layout.height, layout.width], elements: map.map { max($0, 0) })
      }
    }
  }

  /// The layer with a name, or the default layer.
  private func camLayer(_ name: String?, for method: some AttributionMethod) throws -> (Node.ID, ActivationLayout) {
    let graph = plan.network.graph
    let axes = plan.network.channelAxes(forward.plan.analysis.inferred)
    let id = try name.map(graph.requiredNode) ?? defaultCAMNode(for: method, axes)
    guard input.shape.rank == 4 else {
      throw ExplanationError.noPositions(
        method: method.name, node: graph[plan.network.input].name, shape: input.shape)
    }
    // In a network with tokens, a node with four axes has heads, not positions.
    let isMap = axes[id.index] != nil || forward.shape(of: id).rank == 3 || !hasProducts
    guard isMap, let layout = activationLayout(of: id, axes) else {
      throw ExplanationError.noPositions(
        method: method.name, node: name ?? graph[id].name, shape: forward.shape(of: id))
    }
    guard id != plan.network.input, reaches(id) else {
      throw ExplanationError.noRelevance(node: name ?? graph[id].name)
    }
    return (id, layout)
  }

  /// Whether tensors that both depend on the image are multiplied, as in attention.
  private var hasProducts: Bool {
    plan.network.nodes(reaching: plan.network.logits).contains { plan.network.graph[$0].operation is MatrixProduct }
  }

  /// A sentence about the layer: `grad-cam uses layer block4_norm1 (LayerNormalization): 8×8 tokens`.
  func camRemark(at name: String?, for method: some AttributionMethod) throws -> String {
    let (id, layout) = try camLayer(name, for: method)
    let node = plan.network.graph[id]
    return "\(method.name) uses layer \(node.name) (\(node.operation.kind)): \(layout.description)"
  }

  /// Maps of one channel, resized to the height and width of the input and arranged in its axis order.
  func resizedToInput(_ map: Tensor) -> Tensor {
    let isLast = plan.network.hasChannelsLast
    let (height, width) = isLast ? (input.shape[1], input.shape[2]) : (input.shape[2], input.shape[3])
    let resized = map.resized(height: height, width: width)
    return isLast ? resized.reshaped(to: [resized.shape[0], height, width, 1]) : resized
  }
}

extension Parameter where Owner: AttributionMethod {
  /// The layer that the method uses.
  static func layer(_ path: any WritableKeyPath<Owner, String?> & Sendable) -> Self {
    Self("layer", path, expected: "the name of a node")
  }
}

extension Tensor {
  /// Maps of one channel, batch × 1 × height × width, resized by bilinear interpolation between element centers.
  fileprivate func resized(height newHeight: Int, width newWidth: Int) -> Tensor {
    let (height, width) = (shape[2], shape[3])
    func steps(_ old: Int, _ new: Int) -> [(low: Int, high: Int, part: Float)] {
      (0..<new).map { index in
        let place = Swift.max(0, (Float(index) + 0.5) * Float(old) / Float(new) - 0.5)
        let low = Swift.min(Int(place), old - 1)
        return (low, Swift.min(low + 1, old - 1), place - Float(low))
      }
    }
    let (rows, columns) = (steps(height, newHeight), steps(width, newWidth))
    return Tensor(uninitialized: [shape[0], 1, newHeight, newWidth]) { result in
      withUnsafeElements { x in
        var to = 0
        for item in 0..<shape[0] {
          for row in rows {
            let (above, below) = ((item * height + row.low) * width, (item * height + row.high) * width)
            for column in columns {
              let top = x[above + column.low] + column.part * (x[above + column.high] - x[above + column.low])
              let bottom = x[below + column.low] + column.part * (x[below + column.high] - x[below + column.low])
              result[to] = top + row.part * (bottom - top)
              to += 1
            }
          }
        }
      }
    }
  }
}

extension Trace {
  /// The default layer of Grad-CAM and related methods: the last node with positions that all classes depend on.
  ///
  /// The node has the shape batch × channels × height × width (or channels last), more than one position, and is on all
  /// paths from the input to the logits, after the first and before the last layer with weights. This selects the node
  /// after an activation, regardless of how the activation is expressed, and the sum of a residual block rather than a
  /// node in its branch. If the last layer with weights is a convolution whose maps are averaged (SqueezeNet), the node
  /// is the input of this convolution. A final pooling is skipped, because it only reduces the number of positions. If
  /// there is no such node (one convolution and a mean), the last node after all layers with weights is used, and
  /// otherwise the last convolution.
  ///
  /// If attention between tokens follows such a node, or the node itself has tokens, the last normalization that the
  /// whole last attention layer depends on is used. The nodes after this attention are often read at the class token
  /// only, so the image tokens have no gradient there.
  package func defaultCAMLayer(for method: some AttributionMethod = .gradCAM) throws -> String {
    let axes = plan.network.channelAxes(forward.plan.analysis.inferred)
    return plan.network.graph[try defaultCAMNode(for: method, axes)].name
  }

  private func defaultCAMNode(for method: some AttributionMethod, _ axes: [Int?]) throws -> Node.ID {
    let network = plan.network
    let graph = network.graph
    /// The layout of a node that has positions. A node with four axes needs a known channel axis.
    func layout(_ id: Node.ID) -> ActivationLayout? {
      guard forward.shape(of: id).rank == 3 || axes[id.index] != nil else { return nil }
      return activationLayout(of: id, axes).flatMap { $0.positions > 1 ? $0 : nil }
    }
    let reachable = network.nodes(reaching: network.logits)
    let first = reachable.first { graph[$0].operation.isWeighted }
    let last = network.outermostWeightedNodes(before: network.logits).last.min()
    // For a node on all paths, every node with a smaller index is before it.
    let candidates = network.dominators(of: network.logits).filter { $0 >= first ?? graph.output && layout($0) != nil }
    let chosen =
      candidates.last { id in last.map { id < $0 } ?? false } ?? candidates.last
      ?? reachable.last { graph[$0].operation.kind == .conv && layout($0) != nil }
    if let norm = lastNormalizedTokens(layout), chosen.map({ $0 < norm || layout($0)?.grid != nil }) ?? true {
      return norm
    }
    guard var id = chosen else { throw ExplanationError.noSpatialLayer(method: method.name) }
    while [.maxPool, .averagePool].contains(graph[id].operation.kind), let operand = graph[id].inputs.first,
      operand >= first ?? operand, layout(operand) != nil
    { id = operand }
    return id
  }

  /// The last normalization of tokens on all paths to the last product of two tensors that both depend on the image.
  private func lastNormalizedTokens(_ layout: (Node.ID) -> ActivationLayout?) -> Node.ID? {
    let network = plan.network
    let product = network.nodes(reaching: network.logits).last { network.graph[$0].operation is MatrixProduct }
    return product.map(network.dominators)?.last {
      network.graph[$0].operation is LayerNormalization && layout($0)?.grid != nil
    }
  }
}
