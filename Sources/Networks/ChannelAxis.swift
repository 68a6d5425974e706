import Tensors

extension Network {
  /// For each node the axis along which channels (of a fully connected layer: outputs) lie, where it follows from the layers that
  /// made them; nil where it does not.
  ///
  /// - Parameter inferred: the shapes for some input, by node.
  /// - Complexity: O(nodes and edges).
  package func channelAxes(_ inferred: [Inferred]) -> [Int?] {
    var axes: [Int?] = []
    axes.reserveCapacity(graph.nodes.count)
    for id in graph.ids { axes.append(channelAxis(of: id, axes, inferred)) }
    return axes
  }

  private func channelAxis(of id: Node.ID, _ axes: [Int?], _ inferred: [Inferred]) -> Int? {
    let node = graph[id]
    let output = inferred[id.index].shape
    func shape(_ operand: Int) -> Shape { inferred[node.inputs[operand].index].shape }
    /// The first operand whose channels are known, among those that have as many axes as the output.
    func operandsAxis() -> Int? {
      node.inputs.lazy.filter { inferred[$0.index].shape.rank == output.rank }.compactMap { axes[$0.index] }.first
    }
    func counted(_ axis: Int, _ rank: Int) -> Int { axis < 0 ? axis + rank : axis }
    switch node.operation {
    case .input: return output.rank == 4 ? (hasChannelsLast ? 3 : 1) : nil
    case .convolution, .transposedConvolution, .batchNormalization, .maxPool, .averagePool, .localResponseNormalization:
      return 1
    case .linear: return output.rank - 1
    case .transpose(let order):
      guard let axis = axes[node.inputs[0].index] else { return nil }
      return (order ?? (0..<output.rank).reversed()).firstIndex(of: axis)
    case .flatten, .reshape, .squeeze, .unsqueeze:
      return axes[node.inputs[0].index].flatMap { shape(0).axis($0, reshapedTo: output) }
    case .mean(let mean):
      return Self.remaining(
        axes[node.inputs[0].index], after: mean.axes.map { counted($0, shape(0).rank) }, keepsAxes: mean.keepsAxes)
    case .reduce(let reduction):
      guard let reduced = try? reduction.axes(of: shape(0), node.inputs.map { inferred[$0.index] }) else { return nil }
      return Self.remaining(axes[node.inputs[0].index], after: Array(reduced), keepsAxes: reduction.keepsAxes)
    case .constant, .integers, .shape, .arithmetic: return nil
    default: return operandsAxis()
    }
  }

  /// Where an axis is after others have been reduced; nil if it is one of them.
  private static func remaining(_ axis: Int?, after reduced: [Int], keepsAxes: Bool) -> Int? {
    guard let axis, !reduced.contains(axis) else { return nil }
    return keepsAxes ? axis : axis - reduced.count { $0 < axis }
  }
}

extension Shape {
  /// The axis of another shape of the same elements that an axis has become: the one with the same extent and neighbors at the same
  /// distance; the last one where the last axis was split.
  fileprivate func axis(_ axis: Int, reshapedTo other: Shape) -> Int? {
    guard dimensions.indices.contains(axis), other.rank > 0 else { return nil }
    let distance = strides[axis]
    let strides = other.strides
    if let same = other.dimensions.indices.last(where: { other[$0] == self[axis] && strides[$0] == distance }) {
      return same
    }
    return distance == 1 && other[-1] > 0 && self[axis] % other[-1] == 0 ? other.rank - 1 : nil
  }
}
