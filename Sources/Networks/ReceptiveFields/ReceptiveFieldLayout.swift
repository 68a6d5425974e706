import RelevanceTensors

/// The arrangement of the receptive fields of a node's positions in the input, if it is regular: all fields have one
/// size and a constant distance.
///
/// Along each axis, the field of position `p` is the part of the input between `start + p · stride` and
/// `start + p · stride + size` (A. Araujo, W. Norris and J. Sim, Computing receptive fields of convolutional neural
/// networks, Distill 2019).
public struct ReceptiveFieldLayout: Hashable, Sendable {
  /// The extents of a field that the input's borders do not cut.
  public let size: [Int]
  /// The distance between the fields of neighboring positions.
  public let stride: [Int]
  /// The start of the first position's field. It is negative if the field starts before the input.
  public let start: [Int]
}

extension ReceptiveFields {
  /// The arrangement of the fields in the input. Nil if it is not regular, as after interpolation, or if a field always
  /// covers the whole input, as after attention or global pooling.
  ///
  /// If the borders cut all fields, larger inputs than the network accepts are examined.
  ///
  /// - Complexity: The time of a few hundred fields.
  public func layout() -> ReceptiveFieldLayout? {
    guard !extents.isEmpty, extents.count == axes.input.count else { return nil }
    for factor in [1, 2, 4, 8, 16] {
      let shape = TensorShape(
        inputShape.dimensions.enumerated().map { axes.input.contains($0) ? $1 * factor : $1 })
      guard let walk = SourceWalk(from: node, in: network, network.graph.partlyInferred(forInput: shape)),
        walk.shape.rank > (axes.node.max() ?? 0)
      else { return nil }
      // Padding that depends on the extents may differ in a larger input.
      if let layout = layout(walk) { return agrees(layout) ? layout : nil }
    }
    return nil
  }

  /// Whether fields in the input itself, some of them cut, agree with a layout.
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

  /// The layout of the fields in the middle of an input, if borders do not cut them and there are enough.
  private func layout(_ walk: SourceWalk) -> ReceptiveFieldLayout? {
    let middle = axes.node.map { walk.shape[$0] / 2 }
    let field = axes.field(at: middle, walk)
    guard !field.isCut, zip(field.size, field.extents).allSatisfy({ $0 < $1 }) else { return nil }
    var strides: [Int] = []
    for axis in middle.indices {
      // Enough neighbors to detect the period of interpolation.
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
