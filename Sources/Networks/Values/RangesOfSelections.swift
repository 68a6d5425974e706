import RelevanceTensors

/// The bounds after operations that only move elements.
extension ValueRange {
  /// The bounds of the elements that a selection picks.
  func selected(by selection: Selection, gathering gathered: Int? = nil) -> ValueRange? {
    if let positions = selection.positions {
      let (lower, upper) = hull
      let range = ValueRange(lower, upper, rank: selection.output.rank)
      return positions.contains(-1) ? range?.including(selection.fill) : range
    }
    let fills = selection.axes.contains { $0.indices.contains(-1) }
    func picked(_ bounds: ValueRange) -> [(source: Int?, indices: [Int])] {
      selection.axes.map { source, indices in
        guard let source else { return (nil, [0]) }
        if bounds.shape[source] > 1 { return (source, indices) }
        // One interval for all indices except those of the constant.
        return (source, indices.contains(-1) ? indices.map { min($0, 0) } : [0])
      }
    }
    guard let bounds = limited({ _ in TensorShape(picked(self).map(\.indices.count)) }) else {
      let spread = TensorShape(selection.axes.map { _ in 1 })
      let hull = hull(along: Array(shape.dimensions.indices))
      return ValueRange(lower: hull.lower.reshaped(to: spread), upper: hull.upper.reshaped(to: spread))?
        .including(selection.fill)
    }
    let axes = picked(bounds)
    var output = axes.map(\.indices.count)
    if let gathered {
      // The axes of the indices replace one axis.
      let new = selection.output.rank - (axes.count - 1)
      let isTold = output[gathered] > 1
      output.replaceSubrange(
        gathered...gathered,
        with: isTold
          ? Array(selection.output.dimensions[gathered..<gathered + new]) : [Int](repeating: 1, count: new))
    }
    let part = Selection(input: bounds.shape, axes: axes, fill: fills ? selection.fill : 0, output: TensorShape(output))
    return ValueRange(lower: part.applied(to: bounds.lower), upper: part.applied(to: bounds.upper))?.simplified()
  }

  /// The bounds of the same elements with another shape; `old` is the tensor's current shape.
  func reshaped(from old: TensorShape, to new: TensorShape) -> ValueRange? {
    guard let groups = Self.commonGroups(old, new) else { return nil }
    // If bounds differ along one of several axes that are joined or split, each element has its own bounds.
    func needed(_ shape: TensorShape) -> TensorShape {
      var extents = shape.dimensions
      for group in groups where group.old.contains(where: { extents[$0] > 1 }) {
        for axis in group.old { extents[axis] = old[axis] }
      }
      return TensorShape(extents)
    }
    guard let bounds = limited({ needed($0) }), let full = bounds.expanded(to: needed(bounds.shape)) else { return nil }
    var extents = [Int](repeating: 1, count: new.rank)
    for group in groups where group.old.contains(where: { full.shape[$0] > 1 }) {
      for axis in group.new { extents[axis] = new[axis] }
    }
    let shape = TensorShape(extents)
    return ValueRange(lower: full.lower.reshaped(to: shape), upper: full.upper.reshaped(to: shape))?.simplified()
  }

  /// The shortest runs of axes of both shapes that contain the same elements; nil if the tensors are empty.
  private static func commonGroups(_ old: TensorShape, _ new: TensorShape) -> [(old: Range<Int>, new: Range<Int>)]? {
    guard old.count == new.count, old.count > 0 else { return nil }
    var groups: [(old: Range<Int>, new: Range<Int>)] = []
    var (i, j) = (0, 0)
    while i < old.rank, j < new.rank {
      let start = (i, j)
      var (a, b) = (old[i], new[j])
      (i, j) = (i + 1, j + 1)
      while a != b {
        if a < b {
          a *= old[i]
          i += 1
        } else {
          b *= new[j]
          j += 1
        }
      }
      groups.append((start.0..<i, start.1..<j))
    }
    // The remaining axes have extent 1.
    return groups
  }

  /// The bounds of tensors that are joined along an axis, along which they have the given extents.
  static func joined(_ parts: [ValueRange], along axis: Int, extents: [Int]) -> ValueRange? {
    guard let first = parts.first else { return nil }
    var common = first.shape.dimensions
    for part in parts {
      guard part.shape.rank == common.count else { return nil }
      for other in common.indices where other != axis { common[other] = max(common[other], part.shape[other]) }
    }
    func whole(_ extents: [Int]) -> TensorShape {
      var shape = common
      shape[axis] = extents.reduce(0, +)
      return TensorShape(shape)
    }
    guard whole(extents).count <= largestCount else {
      // One interval for each part, or for all parts.
      let hulls = parts.map(\.hull)
      return ValueRange(
        hulls.reduce(.infinity) { min($0, $1.lower) }, hulls.reduce(-.infinity) { max($0, $1.upper) },
        rank: common.count)
    }
    let expanded = zip(parts, extents).compactMap { part, extent -> ValueRange? in
      var shape = common
      shape[axis] = extent
      return part.expanded(to: TensorShape(shape))
    }
    guard expanded.count == parts.count else { return nil }
    func rows(_ bounds: [Tensor]) -> Tensor {
      Tensor(shape: whole(extents), elements: Concat.joined(bounds.map(\.elements), at: axis, of: whole(extents)))
    }
    return ValueRange(lower: rows(expanded.map(\.lower)), upper: rows(expanded.map(\.upper)))?.simplified()
  }

  /// The bounds of a resizing by interpolation with nonnegative weights; nil weights for an axis that is not changed.
  func resized(_ weights: [[[Resize.Tap]]?]) -> ValueRange? {
    guard weights.count == shape.rank else { return nil }
    func extents(_ shape: TensorShape) -> TensorShape {
      TensorShape(weights.indices.map { shape[$0] > 1 ? weights[$0]?.count ?? shape[$0] : 1 })
    }
    guard let bounds = limited({ extents($0) }) else { return nil }
    func interpolated(_ bound: Tensor) -> Tensor {
      var bound = bound
      for (axis, mixed) in weights.enumerated() where bound.shape[axis] > 1 {
        guard let mixed else { continue }
        let (extent, inner) = (bound.shape[axis], bound.shape.dimensions[(axis + 1)...].reduce(1, *))
        var dimensions = bound.shape.dimensions
        dimensions[axis] = mixed.count
        let x = bound.elements
        bound = Tensor(uninitialized: TensorShape(dimensions)) { result in
          for at in result.indices {
            let (outer, rest) = (at / (mixed.count * inner), at % inner)
            result[at] = mixed[at / inner % mixed.count].reduce(0) {
              $0 + $1.weight * x[(outer * extent + $1.index) * inner + rest]
            }
          }
        }
      }
      return bound
    }
    return ValueRange(lower: interpolated(bounds.lower), upper: interpolated(bounds.upper))?.simplified()
  }

  /// The bounds of sums, means or extremes over whole axes, which are kept with extent 1 or dropped; `old` is the
  /// tensor's shape.
  func reduced(
    over axes: Set<Int>, of old: TensorShape, as function: Reduction.Function, keepsAxes: Bool
  ) -> ValueRange? {
    let total = axes.reduce(1) { $0 * old[$1] }
    let told = axes.reduce(1) { $0 * shape[$1] }
    guard total > 0, function != .product else { return nil }
    let result = shape.reduced(over: axes, keepsAxes: keepsAxes)
    let factor = function == .mean ? 1 / Double(told) : function == .sum ? Double(total / told) : 1
    func combined(_ bound: Tensor) -> Tensor {
      let values = bound.withUnsafeElements { function.values(of: $0, shape, over: axes) }
      return Tensor(shape: result, elements: values.map { Float(($0 ?? function.neutralElement) * factor) })
    }
    return ValueRange(lower: combined(lower), upper: combined(upper))
  }
}
