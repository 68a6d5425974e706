import RelevanceTensors

/// The origin of the elements of an operator's output.
package enum Origin {
  /// Each element depends on the elements at its own position in the operands, which broadcast.
  case elementwise
  /// The first operand's elements in the same order, with another shape.
  case sameOrder
  /// Elements selected from the first operand.
  case selection(Selection)
  /// The operands' elements, one operand after the other along an axis.
  case joined(axis: Int)
  /// Each element depends on all elements along some axes of the first operand. These axes have the same meaning in the
  /// output; the other axes keep their indices.
  case mixed(Set<Int>)
  /// Each element depends on all elements along some axes of the first operand. These axes have extent 1 in the output
  /// or are dropped.
  case reduced(Set<Int>, keepsAxes: Bool)
  /// Matrix products along the last two axes of two operands, whose other axes broadcast.
  case matrixProduct
}

/// The position of channels in the output of an operator that has one.
package enum ChannelPosition: Sendable {
  /// After the batch and before the spatial axes, also in the operand.
  case second
  /// Along the last axis.
  case last
}

extension Origin {
  /// The axis of the output that corresponds to an axis of the first operand; nil if there is none.
  func axis(_ axis: Int, from operand: TensorShape, to output: TensorShape) -> Int? {
    switch self {
    case .elementwise, .joined, .mixed: operand.rank == output.rank ? axis : nil
    case .sameOrder: operand.axis(axis, reshapedTo: output)
    case .selection(let selection): selection.axis(axis)
    case .reduced(let axes, let keepsAxes):
      axes.contains(axis) ? nil : keepsAxes ? axis : axis - axes.count { $0 < axis }
    case .matrixProduct: operand.rank == output.rank && axis < operand.rank - 1 ? axis : nil
    }
  }

  /// The signs of a linear operator's operand that cause some signs of its output; nil if there are none.
  func signsBefore(_ signs: Signs, output: TensorShape, of operand: TensorShape) -> Signs? {
    guard case .along(let axis, let flags) = signs else { return signs }
    switch self {
    case .elementwise, .joined: return signs
    case .sameOrder: return signs.reshaped(from: output, to: operand)
    case .selection(let selection): return signs.beforeSelection(selection)
    case .mixed(let axes): return axes.contains(axis) ? nil : signs
    case .reduced(let axes, let keepsAxes):
      let own = keepsAxes ? axis : (0..<operand.rank).filter { !axes.contains($0) }[axis]
      return axes.contains(own) ? nil : .along(axis: own, flags)
    case .matrixProduct: return nil
    }
  }
}

extension TensorShape {
  /// The axis of another shape of the same elements that corresponds to an axis: the axis with the same extent and the
  /// same distance between neighbors, or the last axis if the last axis was split.
  fileprivate func axis(_ axis: Int, reshapedTo other: TensorShape) -> Int? {
    guard dimensions.indices.contains(axis), other.rank > 0 else { return nil }
    let distance = strides[axis]
    let strides = other.strides
    if let same = other.dimensions.indices.last(where: { other[$0] == self[axis] && strides[$0] == distance }) {
      return same
    }
    return distance == 1 && other[-1] > 0 && self[axis] % other[-1] == 0 ? other.rank - 1 : nil
  }
}
