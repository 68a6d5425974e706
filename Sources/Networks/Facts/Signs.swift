import RelevanceTensors

/// Signs to multiply a tensor by: −1 everywhere, or one sign for each index along an axis.
package enum Signs: Hashable, Sendable {
  case all
  /// The marked indices along the axis, counted from the front, are flipped.
  case along(axis: Int, [Bool])

  init?(axis: Int, _ isNegative: [Bool]) {
    guard isNegative.contains(true) else { return nil }
    self = isNegative.allSatisfy { $0 } ? .all : .along(axis: axis, isNegative)
  }

  /// The signs of a constant that broadcasts to `shape`, with zeros positive. Nil if none is negative, or if they
  /// differ along more than one axis.
  init?(of constant: Tensor, in shape: TensorShape) {
    let isNegative = constant.withUnsafeElements { $0.map { $0 < 0 } }
    guard isNegative.contains(true), constant.shape.rank <= shape.rank else { return nil }
    if isNegative.allSatisfy({ $0 }) {
      self = .all
      return
    }
    guard let (axis, flags) = Self.followedAxis(isNegative, constant.shape) else { return nil }
    self = .along(axis: axis + shape.rank - constant.shape.rank, flags)
  }

  /// For each index along an axis, whether it is flipped; nil if the signs differ along another axis.
  func flags(along axis: Int, count: Int) -> [Bool]? {
    switch self {
    case .all: [Bool](repeating: true, count: count)
    case .along(axis, let flags) where flags.count == count: flags
    case .along: nil
    }
  }

  /// The product with other signs of the same tensor; nil if nothing is flipped.
  func combined(with other: Signs) -> Signs? {
    switch (self, other) {
    case (.all, .all): nil
    case (.all, .along(let axis, let flags)), (.along(let axis, let flags), .all): Signs(axis: axis, flags.map { !$0 })
    // Operators that scale by channel do not lead here along two axes.
    case (.along(let axis, let a), .along(let other, let b)):
      axis == other ? Signs(axis: axis, zip(a, b).map { $0 != $1 }) : .along(axis: other, b)
    }
  }

  /// A factor of 1 or −1 for each element, of a shape that broadcasts to a tensor of the given rank.
  func factors(rank: Int) -> Tensor {
    switch self {
    case .all: return Tensor(shape: [], elements: [-1])
    case .along(let axis, let flags):
      let shape = TensorShape([flags.count] + [Int](repeating: 1, count: rank - axis - 1))
      return Tensor(shape: shape, elements: flags.map { $0 ? -1 : 1 })
    }
  }

  /// The same signs for the same elements in the same order with another shape; nil if they follow no axis of it.
  func reshaped(from old: TensorShape, to new: TensorShape) -> Signs? {
    guard case .along(let axis, let flags) = self else { return self }
    guard old.count == new.count else { return nil }
    let stride = old.strides[axis]
    return Self.followedAxis((0..<old.count).map { flags[$0 / stride % flags.count] }, new)
      .map { .along(axis: $0.axis, $0.flags) }
  }

  /// The signs of a selection's operand, given those of its result; nil if there are none.
  func beforeSelection(_ selection: Selection) -> Signs? {
    guard case .along(let axis, let flags) = self else { return self }
    guard selection.positions == nil, selection.output.rank == selection.axes.count,
      let source = selection.axes[axis].source
    else { return nil }
    var before = [Bool?](repeating: nil, count: selection.input[source])
    for (flag, index) in zip(flags, selection.axes[axis].indices) where index >= 0 {
      guard before[index] ?? flag == flag else { return nil }
      before[index] = flag
    }
    // Elements that are not selected are irrelevant.
    return .along(axis: source, before.map { $0 ?? false })
  }

  /// The one axis that flags of a tensor of some shape follow, and the flag for each index along it.
  private static func followedAxis(_ flags: [Bool], _ shape: TensorShape) -> (axis: Int, flags: [Bool])? {
    for (axis, stride) in shape.strides.enumerated() where shape[axis] > 1 {
      let extent = shape[axis]
      let candidate = (0..<extent).map { flags[$0 * stride] }
      if flags.indices.allSatisfy({ flags[$0] == candidate[$0 / stride % extent] }) { return (axis, candidate) }
    }
    return nil
  }
}

/// Values of a node that are the negative of the values that its name refers to.
package struct TurnedValues: Hashable, Sendable {
  let names: [String]
  let signs: Signs
  /// The node that has the sign in the model; its own values are unchanged.
  package let factor: String

  /// Whether the values of a channel are flipped, for the node with a name.
  package func isTurned(_ name: String, channel: Int) -> Bool {
    guard names.contains(name) else { return false }
    switch signs {
    case .all: return true
    // Channels are second. Signs that differ by position concern every channel.
    case .along(let axis, let flags): return axis != 1 || flags[channel]
    }
  }

  /// The values of the node with a name as in the model file.
  package func restored(_ values: Tensor, called name: String) -> Tensor {
    guard names.contains(name) else { return values }
    let factors = signs.factors(rank: values.shape.rank)
    return (try? Multiply().literal(of: [Inferred(.floats(values)), Inferred(.floats(factors))]))?.floats ?? values
  }
}

extension Tensor {
  /// The tensor with a factor for each pair of indices along the first two axes.
  func multiplied(by factor: (_ row: Int, _ column: Int) -> Float) -> Tensor {
    let (rows, columns) = (shape[0], shape.rank > 1 ? shape[1] : 1)
    let run = count / max(rows * columns, 1)
    return Tensor(uninitialized: shape) { result in
      withUnsafeElements { source in
        for part in 0..<rows * columns {
          let factor = factor(part / columns, part % columns)
          for i in part * run..<(part + 1) * run { result[i] = source[i] * factor }
        }
      }
    }
  }

  /// One number per channel, with the sign flipped for marked channels.
  func turned(_ isTurned: [Bool]) -> Tensor { multiplied { row, _ in isTurned[row] ? -1 : 1 } }
}
