import RelevanceTensors

/// The positions of a network's input that a position of a node's output depends on.
///
/// The field depends on the architecture, not on the numbers: a position belongs to the field if a path of operators
/// leads from it to the output. Weights that are zero, inactive rectifiers and elements that are not the maximum make
/// no difference. The holes of a dilated kernel do not belong to the field. Padding is not part of the input.
/// Constants, such as position embeddings, have no field. A position of the input includes all of its channels.
///
/// A field may not be a rectangle: dilated convolutions leave holes, and branches with different windows overlap.
/// `mask` contains exactly its positions; `bounds` is its bounding box.
public struct ReceptiveField: Sendable {
  /// The extents of the input's positions: rows and columns of an image.
  public let extents: [Int]
  /// For each axis of the input's positions, the indices from the first to the last one of the field. The ranges are
  /// empty if no position of the input belongs to the field.
  public let bounds: [Range<Int>]
  /// The number of the input's positions that belong to the field.
  public let count: Int
  /// Whether the input's borders cut the field: without them it would be larger, as at the edge of an image.
  public let isCut: Bool
  private let positions: ElementSet

  /// Creates the field of some positions of the input.
  init(_ positions: ElementSet) {
    self.positions = positions
    extents = positions.shape.dimensions
    isCut = positions.meetsPadding
    let blocks = positions.blocks
    bounds = extents.indices.map { axis in
      let first = blocks.compactMap { $0.axes[axis].firstIndex(of: true) }.min() ?? 0
      let last = blocks.compactMap { $0.axes[axis].lastIndex(of: true) }.max() ?? -1
      return first..<last + 1
    }
    // A single block needs no mask.
    count =
      blocks.count == 1
      ? blocks[0].axes.reduce(1) { product, flags in product * flags.count { $0 } } : positions.flags.count { $0 }
  }

  /// For each position of the input, in row-major order, whether it belongs to the field.
  ///
  /// - Complexity: O(positions of the input).
  public var mask: [Bool] { positions.flags }

  /// The number of indices from the first to the last one along each axis: height and width of the bounding box.
  public var size: [Int] { bounds.map(\.count) }

  /// Whether the field fills its bounding box, without holes.
  public var fillsBounds: Bool { count == size.reduce(1, *) }

  /// The fraction of the input's positions that belongs to the field, from 0 to 1.
  public var share: Double { Double(count) / Double(max(positions.shape.count, 1)) }

  /// The rows from the first to the last one of the field.
  ///
  /// If the input's positions have a single axis, as in a sequence, this is the only row.
  public var rows: Range<Int> { bounds.count > 1 ? bounds[bounds.count - 2] : 0..<min(count, 1) }

  /// The columns from the first to the last one of the field.
  public var columns: Range<Int> { bounds.last ?? 0..<min(count, 1) }

  /// Whether a position of the input belongs to the field.
  ///
  /// - Parameter position: An index along each axis: row and column of an image.
  /// - Complexity: O(parts of the field), usually O(1).
  public func contains(_ position: [Int]) -> Bool {
    guard position.count == extents.count, zip(extents, position).allSatisfy({ (0..<$0).contains($1) }) else {
      return false
    }
    return positions.blocks.contains { zip($0.axes, position).allSatisfy { $0[$1] } }
  }
}
