import RelevanceTensors

/// The positions of a network's input that a position of a node's output depends on.
///
/// What counts is how the network is built, not its numbers: a position belongs to the field if a path of operators leads from it to the
/// output. Weights that are zero, rectifiers that are off and elements that lose a maximum make no difference. The holes of a dilated kernel
/// do not belong to the field. Padding is no part of the input. Constants, such as position embeddings, have no field. All channels of a
/// position of the input are taken together.
///
/// A field need not be a rectangle: dilated convolutions leave holes, and branches with different windows overlap. `mask` has exactly its
/// positions; `bounds` is the smallest box around them.
public struct ReceptiveField: Sendable {
  /// The extents of the input's positions: rows and columns of an image.
  public let extents: [Int]
  /// For each axis of the input's positions the indices from the field's first to its last one; empty ranges where nothing of the input
  /// belongs to the field.
  public let bounds: [Range<Int>]
  /// How many positions of the input belong to the field.
  public let count: Int
  /// Whether padding cuts the field: without the input's borders it would be larger, as at the edge of an image.
  public let isCut: Bool
  private let positions: ElementSet

  /// The field of some positions of the input.
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

  /// The number of indices from the first to the last one along each axis: height and width of the smallest box.
  public var size: [Int] { bounds.map(\.count) }

  /// Whether the field is its whole box, without holes.
  public var fillsBounds: Bool { count == size.reduce(1, *) }

  /// The part of the input's positions that belongs to the field, from 0 to 1.
  public var share: Double { Double(count) / Double(max(positions.shape.count, 1)) }

  /// The rows from the field's first to its last one.
  ///
  /// Of an input whose positions have a single axis, such as a sequence, this is the only row.
  public var rows: Range<Int> { bounds.count > 1 ? bounds[bounds.count - 2] : 0..<min(count, 1) }

  /// The columns from the field's first to its last one.
  public var columns: Range<Int> { bounds.last ?? 0..<min(count, 1) }

  /// Whether a position of the input belongs to the field.
  ///
  /// - Parameter position: an index along each axis: row and column of an image.
  /// - Complexity: O(parts of the field), nearly always O(1).
  public func contains(_ position: [Int]) -> Bool {
    guard position.count == extents.count, zip(extents, position).allSatisfy({ (0..<$0).contains($1) }) else {
      return false
    }
    return positions.blocks.contains { zip($0.axes, position).allSatisfy { $0[$1] } }
  }
}
