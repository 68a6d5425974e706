import Tensors

/// An operation that only picks elements of its operand, in any order and any number of times, or fills in a constant:
/// Slice, Split, Gather, Pad, Expand, Transpose and nearest-neighbour Resize are all of this kind.
public struct Selection: Sendable {
  /// The operand's shape.
  public let input: Shape
  /// The result's shape.
  public let output: Shape
  /// For each axis of the result the operand's axis that it runs along (nil for a new one), and for each index along it
  /// the operand's index, −1 for the constant.
  let axes: [(source: Int?, indices: [Int])]
  /// The constant.
  public let fill: Float

  /// A selection that works axis by axis; operand axes that no axis of the result runs along must have extent 1.
  /// `output` is the result's shape, if it is not one axis for each of `axes`.
  init(input: Shape, axes: [(source: Int?, indices: [Int])], fill: Float = 0, output: Shape? = nil) {
    self.input = input
    self.axes = axes
    self.fill = fill
    self.output = output ?? Shape(axes.map(\.indices.count))
  }

  /// Whether all that is picked from an item of the first axis goes to the same item of the result's.
  var keepsLeadingAxis: Bool {
    guard let first = axes.first, first.source == 0, input.rank > 0, output.rank == axes.count else { return false }
    return first.indices == Array(0..<input[0])
  }

  /// The same for a batch of one, if every item of the batch is treated alike and stays where it is; nil if not.
  package func forOneItem() -> Selection? {
    guard keepsLeadingAxis, input[0] > 1 else { return nil }
    var axes = axes
    axes[0].indices = [0]
    return Selection(input: input.withBatch(1), axes: axes, fill: fill)
  }

  /// The operand's position for each element of the result, −1 for the constant.
  public func sources() -> [Int] {
    guard output.count > 0 else { return [] }
    let strides = input.strides
    // Offsets of the axes are added up one axis at a time, the outermost first.
    var positions = [0]
    for (source, indices) in axes {
      let stride = source.map { strides[$0] } ?? 0
      var next: [Int] = []
      next.reserveCapacity(positions.count * indices.count)
      for position in positions {
        for index in indices { next.append(position < 0 || index < 0 ? -1 : position + index * stride) }
      }
      positions = next
    }
    return positions
  }

  /// The elements picked from a tensor.
  func applied(to tensor: Tensor) -> Tensor {
    let sources = sources()
    return Tensor(uninitialized: output) { result in
      tensor.withUnsafeElements { x in
        for (position, source) in sources.enumerated() { result[position] = source < 0 ? fill : x[source] }
      }
    }
  }
}

extension Operator {
  /// The selection that the operator is for an operand of the given shape, nil if it is none; `operands` are all of the
  /// node's operands, for what they say of extents and positions.
  package func selection(of operands: [Inferred]) throws -> Selection? {
    guard let input = operands.first?.shape else { return nil }
    let identity = input.dimensions.enumerated().map { (source: Int?($0.offset), indices: Array(0..<$0.element)) }
    switch self {
    case .slice(let slice):
      var axes = identity
      for (axis, indices) in try slice.indices(of: input, operands) { axes[axis].indices = indices }
      return Selection(input: input, axes: axes)
    case .part(let axis, let index, let count):
      let axis = try normalised(axis, rank: input.rank)
      let extent = (input[axis] + count - 1) / count
      let first = min(index * extent, input[axis])
      var axes = identity
      axes[axis].indices = Array(first..<min(first + extent, input[axis]))
      return Selection(input: input, axes: axes)
    case .gather(let axis):
      guard operands.count == 2, let indices = operands[1].literal?.integers else { return nil }
      let axis = try normalised(axis, rank: input.rank)
      let counted = try indices.map { index in
        guard (-input[axis]..<input[axis]).contains(index) else {
          throw Misfit("index \(index) is outside axis \(axis) of shape \(input)")
        }
        return index < 0 ? index + input[axis] : index
      }
      // The indices are one axis here; in the result they have their own shape.
      var axes = identity
      axes[axis].indices = counted
      let extents = input.dimensions[..<axis] + operands[1].shape.dimensions + input.dimensions[(axis + 1)...]
      return Selection(input: input, axes: axes, output: try Shape(checking: Array(extents)))
    case .pad(let pad): return try pad.selection(of: input, operands)
    case .expand:
      guard let extents = operands.count == 2 ? operands[1].literal?.integers : nil else { return nil }
      let wanted = try Shape(checking: extents)
      guard let output = input.broadcast(with: wanted) else { throw Misfit("\(input) does not expand to \(extents)") }
      let new = output.rank - input.rank
      return Selection(
        input: input,
        axes: (0..<output.rank).map { axis in
          axis < new || input[axis - new] == 1
            ? (nil, [Int](repeating: 0, count: output[axis])) : (axis - new, Array(0..<output[axis]))
        })
    case .transpose(let order):
      let order = order ?? (0..<input.rank).reversed()
      guard order.sorted() == Array(0..<input.rank) else {
        throw Misfit("perm \(order) does not order the axes of \(input)")
      }
      return Selection(input: input, axes: order.map { identity[$0] })
    default: return nil
    }
  }
}
