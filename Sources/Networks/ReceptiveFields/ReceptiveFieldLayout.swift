import RelevanceTensors

/// How the receptive fields of a node's positions lie in the input where this is regular: all of one size, and a constant distance from one
/// another.
///
/// Along each axis the field of position `p` is what lies between `start + p · stride` and `start + p · stride + size`, as far as the input
/// reaches (A. Araujo, W. Norris and J. Sim, Computing receptive fields of convolutional neural networks, Distill 2019).
public struct ReceptiveFieldLayout: Hashable, Sendable {
  /// The extents of a field that the input's borders do not cut.
  public let size: [Int]
  /// How far the fields of neighboring positions lie apart.
  public let stride: [Int]
  /// Where the field of the first position starts, before the input where negative.
  public let start: [Int]
}

extension ReceptiveFields {
  /// How the fields lie in the input; nil where that is not regular, as behind interpolation, or where a field is the whole input however
  /// large that is, as behind attention or pooling over everything.
  ///
  /// Larger inputs than the network takes are looked at if all fields are cut by the borders.
  ///
  /// - Complexity: that of some hundred fields.
  public func layout() -> ReceptiveFieldLayout? {
    guard !extents.isEmpty, extents.count == axes.input.count else { return nil }
    for factor in [1, 2, 4, 8, 16] {
      let shape = TensorShape(
        inputShape.dimensions.enumerated().map { axes.input.contains($0) ? $1 * factor : $1 })
      guard let walk = SourceWalk(from: node, in: network, network.graph.partlyInferred(forInput: shape)),
        walk.shape.rank > (axes.node.max() ?? 0)
      else { return nil }
      // Padding that depends on the extents may lie elsewhere in a larger input.
      if let layout = layout(walk) { return agrees(layout) ? layout : nil }
    }
    return nil
  }

  /// Whether fields in the input itself, some of them cut, are where a layout has them.
  private func agrees(_ layout: ReceptiveFieldLayout) -> Bool {
    [extents.map { _ in 0 }, middle, extents.map { $0 - 1 }].allSatisfy { position in
      guard let field = try? field(at: position) else { return false }
      return position.indices.allSatisfy { axis in
        let start = layout.start[axis] + position[axis] * layout.stride[axis]
        let (end, bounds) = (start + layout.size[axis], field.bounds[axis])
        return (start < 0 ? bounds.lowerBound >= 0 : bounds.lowerBound == start)
          && (end > field.extents[axis] ? bounds.upperBound <= field.extents[axis] : bounds.upperBound == end)
      }
    }
  }

  /// The layout that fields in the middle have for an input, if borders do not cut them and there are enough.
  private func layout(_ walk: SourceWalk) -> ReceptiveFieldLayout? {
    let middle = axes.node.map { walk.shape[$0] / 2 }
    let field = axes.field(at: middle, walk)
    guard !field.isCut, zip(field.size, field.extents).allSatisfy({ $0 < $1 }) else { return nil }
    var strides: [Int] = []
    for axis in middle.indices {
      // Far enough to see the period of interpolation.
      let neighbors = (-4...4).map { step in
        var position = middle
        position[axis] += step
        return position[axis] >= 0 && position[axis] < walk.shape[axes.node[axis]]
          ? axes.field(at: position, walk) : nil
      }
      let starts = neighbors.map { $0.flatMap { $0.isCut || $0.size != field.size ? nil : $0.bounds[axis].lowerBound } }
      let distances = zip(starts.dropFirst(), starts).map { next, start in next.flatMap { n in start.map { n - $0 } } }
      guard let stride = distances[0], distances.allSatisfy({ $0 == stride }) else { return nil }
      strides.append(stride)
    }
    return ReceptiveFieldLayout(
      size: field.size, stride: strides,
      start: middle.indices.map { field.bounds[$0].lowerBound - middle[$0] * strides[$0] })
  }
}
