import RelevanceTensors

/// Where the elements of an operator's output come from.
package enum Origin {
  /// Each from the elements at its own place in the operands, which broadcast.
  case elementwise
  /// The first operand's elements in the same order, under another shape.
  case sameOrder
  /// Elements picked from the first operand.
  case selection(Selection)
  /// The operands' elements, one operand after the other along an axis.
  case joined(axis: Int)
  /// Each from all elements along some axes of the first operand, which mean the same in the output; others keep their indices.
  case mixed(Set<Int>)
  /// Each from all elements along some axes of the first operand, which have extent 1 in the output or are dropped.
  case reduced(Set<Int>, keepsAxes: Bool)
  /// The products of matrices along the last two axes of two operands, the other axes of which broadcast.
  case matrixProduct
}

/// Where channels lie in the output of an operator that has them in one place.
package enum ChannelPosition: Sendable {
  /// Behind the batch, before the spatial axes, in the operand too.
  case second
  /// Along the last axis.
  case last
}

extension Origin {
  /// The axis of the output that an axis of the first operand has become; nil if it is none.
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

  /// The signs of a linear operator's operand that give some signs of its output; nil if there are none.
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
  /// The axis of another shape of the same elements that an axis has become: the one with the same extent and neighbors at the same
  /// distance; the last one where the last axis was split.
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
