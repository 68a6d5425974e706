import RelevanceTensors

/// An operation that only selects elements of its operand, in any order and any number of times, or fills in a
/// constant. It works axis by axis, as Slice, Split, Gather, Pad, Expand and Transpose do, or element by element, as
/// GatherND does.
package struct Selection: Sendable {
  package let input: TensorShape
  package let output: TensorShape
  /// For each axis of the result, the operand's axis that it runs along (nil for a new axis), and for each index along
  /// it the operand's index (−1 for the constant).
  let axes: [(source: Int?, indices: [Int])]
  /// The selection element by element: the operand's position for each element of the result, −1 for the constant. In
  /// this case there are no `axes`.
  let positions: [Int]?
  package let fill: Float

  /// All axes of an operand with all their indices.
  static func everything(of input: TensorShape) -> [(source: Int?, indices: [Int])] {
    input.dimensions.enumerated().map { ($0.offset, Array(0..<$0.element)) }
  }

  /// A selection that works axis by axis. Operand axes that no axis of the result runs along must have extent 1.
  /// `output` is the result's shape if it does not have one axis for each of `axes`.
  init(input: TensorShape, axes: [(source: Int?, indices: [Int])], fill: Float = 0, output: TensorShape? = nil) {
    (self.input, self.axes, self.fill, positions) = (input, axes, fill, nil)
    self.output = output ?? TensorShape(axes.map(\.indices.count))
  }

  /// A selection that works element by element.
  init(input: TensorShape, output: TensorShape, positions: [Int], fill: Float = 0) {
    (self.input, self.output, self.positions, self.fill, axes) = (input, output, positions, fill, [])
  }

  /// Whether all elements that are selected from an item along the first axis are in the same item of the result.
  var keepsLeadingAxis: Bool {
    if let positions {
      // Kernels use the selection per item only if it is the same for all items.
      return input.rank > 0 && output.rank > 0 && input[0] == 1 && output[0] == 1 && positions.count == output.count
    }
    guard let first = axes.first, first.source == 0, input.rank > 0, output.rank > 0, output[0] == input[0] else {
      return false
    }
    return first.indices == Array(0..<input[0])
  }

  /// The axis of the result that runs along an axis of the operand; nil if there is none.
  func axis(_ source: Int) -> Int? {
    positions == nil && output.rank == axes.count ? axes.firstIndex { $0.source == source } : nil
  }

  /// The same selection for a batch of one item, if it treats every item alike and keeps its position; otherwise nil.
  package func forOneItem() -> Selection? {
    guard keepsLeadingAxis, positions == nil, output.rank == axes.count, input[0] > 1 else { return nil }
    var axes = axes
    axes[0].indices = [0]
    return Selection(input: input.withBatch(1), axes: axes, fill: fill)
  }

  /// The operand's position for each element of the result; −1 for the constant.
  package func sources() -> [Int] {
    guard output.count > 0 else { return [] }
    if let positions { return positions }
    let strides = input.strides
    // Offsets of the axes are added one axis at a time, starting with the outermost.
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

  func applied(to tensor: Tensor) -> Tensor {
    let sources = sources()
    return Tensor(uninitialized: output) { result in
      tensor.withUnsafeElements { x in
        for (position, source) in sources.enumerated() { result[position] = source < 0 ? fill : x[source] }
      }
    }
  }
}
