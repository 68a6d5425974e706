import Networks
import Propagation
import Tensors

extension Trace {
  /// `max(0, Σ_k w_k ⊙ A_k)` at a layer for each target, with A_k the activations of channel k: batch × 1 × the layer's height × width.
  /// The layer is by default that of `defaultCAMLayer(for:)`; `weights` makes of the derivative of the score by a channel's activations
  /// a weight for each position.
  func classActivationMaps(
    of targets: [Target], at name: String?, for method: some AttributionMethod,
    weights: (_ gradient: UnsafeBufferPointer<Float>.SubSequence) -> [Float]
  ) throws -> [Tensor] {
    let name = try name ?? defaultCAMLayer(for: method)
    let graph = plan.network.graph
    let id = try graph.requiredNode(named: name)
    let activations = forward.value(of: id)
    guard input.shape.rank == 4 else {
      throw ExplanationError.noPositions(
        method: method.name, node: graph[plan.network.input].name, shape: input.shape)
    }
    guard activations.shape.rank == 4 else {
      throw ExplanationError.noPositions(method: method.name, node: name, shape: activations.shape)
    }
    guard id != plan.network.input, reaches(id) else { throw ExplanationError.noRelevance(node: name) }
    let propagator = try propagator(for: .gradient())
    let (channels, height, width) = (activations.shape[1], activations.shape[2], activations.shape[3])
    let positions = height * width
    return try inGroups(targets) { group, _ in
      let seeds = try VanillaGradient().seeds(for: group, in: self).tensors
      let gradient = propagator.relevance(arrivingAt: id, from: seeds, count: group.count)
      return group.indices.map { number in
        var map = [Float](repeating: 0, count: batch * positions)
        gradient.withUnsafeElements { gradient in
          forward.itemByItem(activations, at: id).withUnsafeElements { activations in
            for item in 0..<batch {
              for channel in 0..<channels {
                let row = ((item * group.count + number) * channels + channel) * positions
                let weights = weights(gradient[row..<row + positions])
                let start = (item * channels + channel) * positions
                for p in 0..<positions { map[item * positions + p] += weights[p] * activations[start + p] }
              }
            }
          }
        }
        return Tensor(shape: [batch, 1, height, width], elements: map.map { max($0, 0) })
      }
    }
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
  /// That is a node of batch × channels × height × width with more than one position, which all paths from the input to the
  /// logits pass, behind the first layer with weights and before the last ones: behind an activation however it is written,
  /// and behind the sum of a residual block rather than inside of its branch. Where the last layer with weights is a
  /// convolution whose maps are averaged (SqueezeNet), it is what that convolution reads. A pooling at the end is left out,
  /// since it only has fewer positions. If there is none (one convolution and a mean), it is the last node behind all layers
  /// with weights, and without that the last convolution.
  package func defaultCAMLayer(for method: some AttributionMethod = .gradCAM) throws -> String {
    let network = plan.network
    let graph = network.graph
    let channels = network.channelAxes(forward.plan.analysis.inferred)
    func hasPositions(_ id: Node.ID) -> Bool {
      let shape = forward.shape(of: id)
      return shape.rank == 4 && shape[2] * shape[3] > 1 && channels[id.index] == 1
    }
    let reachable = network.nodes(reaching: network.logits)
    let first = reachable.first { graph[$0].operation.isWeighted }
    let last = network.outermostWeightedNodes(before: network.logits).last.min()
    // Of a node that all paths pass, whatever has a smaller place in the graph's order comes before it.
    let candidates = network.dominators(of: network.logits).filter { $0 >= first ?? graph.output && hasPositions($0) }
    let chosen =
      candidates.last { id in last.map { id < $0 } ?? false } ?? candidates.last
      ?? reachable.last { graph[$0].operation.kind == .conv && hasPositions($0) }
    guard var id = chosen else { throw ExplanationError.noSpatialLayer(method: method.name) }
    while [.maxPool, .averagePool].contains(graph[id].operation.kind), let operand = graph[id].inputs.first,
      operand >= first ?? operand, hasPositions(operand)
    { id = operand }
    return graph[id].name
  }
}
