import RelevanceTensors

/// Rearranges channels into blocks of positions, batch × channels × height × width to batch × channels/b² × b·height ×
/// b·width, or the inverse.
package struct DepthToSpace: LimitKeeping {
  /// The order of the channels of a block.
  package enum Order: String, Hashable, Sendable {
    /// By position in the block, then by channel.
    case depthFirst = "DCR"
    /// By channel, then by position in the block.
    case columnsFirst = "CRD"
  }
  /// The number of positions in a block along each axis.
  package let block: Int
  package let order: Order
  package let isInverse: Bool

  package init(block: Int, order: Order = .depthFirst, inverse: Bool = false) {
    (self.block, self.order, isInverse) = (block, order, inverse)
  }

  package var kind: OperatorKind { isInverse ? .spaceToDepth : .depthToSpace }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard x.rank == 4, block > 0, block < 1 << 20 else {
      throw Misfit("expected batch × channels × height × width and a positive blocksize, found shape \(x) and \(block)")
    }
    if isInverse {
      guard x[2] % block == 0, x[3] % block == 0 else { throw Misfit("blocks of \(block)×\(block) do not divide \(x)") }
      return try TensorShape(checking: [x[0], x[1] * block * block, x[2] / block, x[3] / block])
    }
    guard x[1] % (block * block) == 0 else { throw Misfit("\(block)×\(block) does not divide the channels of \(x)") }
    return try TensorShape(checking: [x[0], x[1] / (block * block), x[2] * block, x[3] * block])
  }

  /// The operand as a tensor of six axes, and the order of these in the output.
  package func axes(of x: TensorShape) -> (shape: TensorShape, order: [Int]) {
    if isInverse {
      return (
        [x[0], x[1], x[2] / block, block, x[3] / block, block],
        order == .depthFirst ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
      )
    }
    let channels = x[1] / (block * block)
    return order == .depthFirst
      ? ([x[0], block, block, channels, x[2], x[3]], [0, 3, 4, 1, 5, 2])
      : ([x[0], channels, block, block, x[2], x[3]], [0, 1, 4, 2, 5, 3])
  }

  package var isLinear: Bool { true }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed([1, 2, 3]) }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let x = try firstShape(operands)
    let (split, order) = axes(of: x)
    let moved = elements.reshaped(to: TensorShape(order.map { split[$0] })).mapped(to: split) { block in
      split.dimensions.indices.map { axis in block.axes[order.firstIndex(of: axis) ?? axis] }
    }
    return [moved.reshaped(to: x)]
  }
  package func range(at site: RangeSite) -> ValueRange? { site.range(0)?.hull(along: [1, 2, 3]) }
}
