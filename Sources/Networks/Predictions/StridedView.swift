import RelevanceTensors

/// Elements of a tensor at equal distances along each axis: what transposing, slicing and reshaping select from it
/// without a copy.
package struct StridedView: Hashable, Sendable {
  package struct Axis: Hashable, Sendable {
    package var extent: Int
    /// The distance between neighbors in the tensor.
    package var step: Int
  }

  /// The position of the first element.
  package private(set) var offset = 0
  package private(set) var axes: [Axis]

  /// All elements of a tensor.
  package init(of shape: TensorShape) {
    axes = zip(shape.dimensions, shape.strides).map { Axis(extent: $0, step: $1) }
  }

  /// The view with its axes in another order: axis `i` is axis `order[i]` of this one.
  package func transposed(to order: [Int]) -> StridedView {
    var result = self
    result.axes = order.map { axes[$0] }
    return result
  }

  package var shape: TensorShape { TensorShape(axes.map(\.extent)) }

  /// The elements that a selection takes from the view; nil if they are not at equal distances.
  func selected(by selection: Selection) -> StridedView? {
    guard selection.positions == nil else { return nil }
    var result = self
    result.axes = []
    for (source, indices) in selection.axes {
      guard let first = indices.first, first >= 0 else { return nil }
      let distance = indices.count > 1 ? indices[1] - first : 1
      guard indices.enumerated().allSatisfy({ $1 == first + $0 * distance }), distance > 0 else { return nil }
      guard let source else {
        if indices.count > 1 { return nil }
        result.axes.append(Axis(extent: 1, step: 1))
        continue
      }
      result.offset += first * axes[source].step
      result.axes.append(Axis(extent: indices.count, step: axes[source].step * distance))
    }
    return result.reshaped(to: selection.output)
  }

  /// The same elements in another shape; nil if they are not at equal distances along its axes.
  func reshaped(to shape: TensorShape) -> StridedView? {
    guard shape.count > 0 else { return nil }
    var rest = shape.dimensions.indices.reversed().filter { shape[$0] != 1 }[...]
    var axes = shape.dimensions.map { Axis(extent: $0, step: 1) }
    for axis in joinedAxes.reversed() {
      var inner = 1
      while inner < axis.extent {
        guard let next = rest.popFirst(), axis.extent % (inner * shape[next]) == 0 else { return nil }
        axes[next].step = axis.step * inner
        inner *= shape[next]
      }
    }
    var result = self
    result.axes = axes
    return result
  }

  /// The axes with several positions, where axes that continue each other are one.
  package var joinedAxes: [Axis] {
    var joined: [Axis] = []
    for axis in axes where axis.extent != 1 {
      if let last = joined.last, last.step == axis.step * axis.extent {
        joined[joined.count - 1] = Axis(extent: last.extent * axis.extent, step: axis.step)
      } else {
        joined.append(axis)
      }
    }
    return joined
  }
}

/// A copy of a view of the operand.
package struct StridedCopy: Selecting {
  package let view: StridedView

  package var kind: OperatorKind { .transpose }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { view.shape }
  package func selection(of operands: [Inferred]) throws -> Selection {
    let positions = view.axes.reduce([view.offset]) { positions, axis in
      positions.flatMap { position in (0..<axis.extent).map { position + $0 * axis.step } }
    }
    return Selection(input: try firstShape(operands), output: view.shape, positions: positions)
  }
}
