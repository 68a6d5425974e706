import RelevanceTensors

extension ElementSet {
  /// The same elements, in the same order, of a tensor with another shape.
  ///
  /// - Complexity: O(elements along axes that are split or merged), summed over the blocks.
  package func reshaped(to other: TensorShape) -> ElementSet {
    if shape == other { return self }
    var result = ElementSet(noneOf: other)
    result.meetsPadding = meetsPadding
    guard shape.count > 0 else { return result }
    let (own, others) = (shape.longAxes, other.longAxes)
    let groups = Self.groups(own.map { shape[$0] }, others.map { other[$0] })
    for block in blocks {
      // For each group of axes, the blocks that it is converted to.
      let parts = groups.map { group in
        Block.reshaped(
          group.from.map { block.axes[own[$0]] }, to: group.to.map { other[others[$0]] })
      }
      let combinations = parts.reduce([[[Bool]]]([[]])) { heads, part in
        heads.flatMap { head in part.map { head + $0.axes } }
      }
      for axes in combinations {
        var whole = other.dimensions.map { _ in [true] }
        for (axis, flags) in zip(others, axes) { whole[axis] = flags }
        result.insert(Block(axes: whole))
      }
    }
    return result
  }

  /// Runs of axes of both shapes that contain the same elements, as short as possible.
  private static func groups(_ a: [Int], _ b: [Int]) -> [(from: Range<Int>, to: Range<Int>)] {
    var groups: [(from: Range<Int>, to: Range<Int>)] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      let start = (i, j)
      var counts = (a[i], b[j])
      (i, j) = (i + 1, j + 1)
      while counts.0 != counts.1 {
        if counts.0 < counts.1 {
          counts.0 *= a[i]
          i += 1
        } else {
          counts.1 *= b[j]
          j += 1
        }
      }
      groups.append((start.0..<i, start.1..<j))
    }
    return groups
  }
}

extension ElementSet.Block {
  /// The blocks of a tensor with other extents that have the same elements as a block.
  fileprivate static func reshaped(_ axes: [[Bool]], to extents: [Int]) -> [ElementSet.Block] {
    if axes.count == 1, extents.count == 1 { return [ElementSet.Block(axes: axes)] }
    if axes.allSatisfy({ !$0.contains(false) }) {
      return [ElementSet.Block(axes: extents.map { [Bool](repeating: true, count: $0) })]
    }
    let flags = axes.reduce([true]) { outer, axis in outer.flatMap { isIn in axis.map { $0 && isIn } } }
    return covering(flags[...], extents[...])
  }
}

extension TensorShape {
  /// The axes with more than one element.
  fileprivate var longAxes: [Int] { dimensions.indices.filter { dimensions[$0] != 1 } }
}
