import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension Trace {
  /// `max(0, Σ_k w_k ⊙ A_k)` at a layer for each target, with A_k the activations of channel k: batch × 1 × the layer's height × width.
  /// The layer is by default that of `defaultCAMLayer(for:)`; `weights` makes of the derivative of the score by a channel's activations
  /// a weight for each position.
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

  /// The layer with a name, or the one that is looked at if none is named.
  private func camLayer(_ name: String?, for method: some AttributionMethod) throws -> (Node.ID, ActivationLayout) {
    let graph = plan.network.graph
    let axes = plan.network.channelAxes(forward.plan.analysis.inferred)
    let id = try name.map(graph.requiredNode) ?? defaultCAMNode(for: method, axes)
    guard input.shape.rank == 4 else {
      throw ExplanationError.noPositions(
        method: method.name, node: graph[plan.network.input].name, shape: input.shape)
    }
    // Between tokens it is not positions that have four axes, but heads.
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

  /// What is worth knowing of the layer: `grad-cam is at block4_norm1 (LayerNormalization): 8×8 tokens`.
  func camRemark(at name: String?, for method: some AttributionMethod) throws -> String {
    let (id, layout) = try camLayer(name, for: method)
    let node = plan.network.graph[id]
    return "\(method.name) is at \(node.name) (\(node.operation.kind)): \(layout.description)"
  }

  /// Maps of one channel as high and wide as the input, with its order of axes.
  func resizedToInput(_ map: Tensor) -> Tensor {
    let isLast = plan.network.hasChannelsLast
    let (height, width) = isLast ? (input.shape[1], input.shape[2]) : (input.shape[2], input.shape[3])
    let resized = map.resized(height: height, width: width)
    return isLast ? resized.reshaped(to: [resized.shape[0], height, width, 1]) : resized
  }
}

extension Parameter where Owner: AttributionMethod {
  /// The layer that is looked at.
  static func layer(_ path: any WritableKeyPath<Owner, String?> & Sendable) -> Self {
    Self("layer", path, expected: "the name of a node")
  }
}

extension Tensor {
  /// Maps of one channel, batch × 1 × height × width, in another size, by bilinear interpolation between the middles of elements.
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
  /// The layer that Grad-CAM and its kin look at if none is named: the last node with positions whose value all classes read.
  ///
  /// That is a node of batch × channels × height × width, or with its channels last, with more than one position, which all paths from the
  /// input to the logits pass, behind the first layer with weights and before the last ones: behind an activation however it is written,
  /// and behind the sum of a residual block rather than inside of its branch. Where the last layer with weights is a
  /// convolution whose maps are averaged (SqueezeNet), it is what that convolution reads. A pooling at the end is left out,
  /// since it only has fewer positions. If there is none (one convolution and a mean), it is the last node behind all layers
  /// with weights, and without that the last convolution.
  ///
  /// Where attention between tokens comes behind such a node, or the node has tokens itself, it is the last normalization that all of the last
  /// attention reads. What follows that attention is often read at the class token alone, and no token of the image has a gradient there.
  package func defaultCAMLayer(for method: some AttributionMethod = .gradCAM) throws -> String {
    let axes = plan.network.channelAxes(forward.plan.analysis.inferred)
    return plan.network.graph[try defaultCAMNode(for: method, axes)].name
  }

  private func defaultCAMNode(for method: some AttributionMethod, _ axes: [Int?]) throws -> Node.ID {
    let network = plan.network
    let graph = network.graph
    /// The layout of a node that has positions, of four axes only if it is known which counts channels.
    func layout(_ id: Node.ID) -> ActivationLayout? {
      guard forward.shape(of: id).rank == 3 || axes[id.index] != nil else { return nil }
      return activationLayout(of: id, axes).flatMap { $0.positions > 1 ? $0 : nil }
    }
    let reachable = network.nodes(reaching: network.logits)
    let first = reachable.first { graph[$0].operation.isWeighted }
    let last = network.outermostWeightedNodes(before: network.logits).last.min()
    // Of a node that all paths pass, whatever has a smaller place in the graph's order comes before it.
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

  /// The last normalization of tokens that all paths pass to the last product of tensors which both depend on the image.
  private func lastNormalizedTokens(_ layout: (Node.ID) -> ActivationLayout?) -> Node.ID? {
    let network = plan.network
    let product = network.nodes(reaching: network.logits).last { network.graph[$0].operation is MatrixProduct }
    return product.map(network.dominators)?.last {
      network.graph[$0].operation is LayerNormalization && layout($0)?.grid != nil
    }
  }
}
