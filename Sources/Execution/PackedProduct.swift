import CRelevanceKernels
import RelevanceTensors

/// Matrices in the order in which a product reads them.
enum PackedProduct {
  static let rowBlock = Int(RK_PRODUCT_ROWS)
  static let columnBlock = Int(RK_PRODUCT_COLUMNS)

  /// The number of floats of some packed rows.
  static func rowFloats(_ count: Int, depth: Int) -> Int { count.roundedUp(to: rowBlock) * depth }

  /// The number of floats after the rows that a product may read.
  static let slack = 4

  /// The number of floats of some packed columns.
  static func columnFloats(_ count: Int, depth: Int) -> Int { count.roundedUp(to: columnBlock) * depth }

  /// `groups` contiguous matrices of `rows` × `depth`, with packed rows.
  ///
  /// - Parameters:
  ///   - step: the number of floats between rows.
  ///   - depthStep: the number of floats between the elements of a row.
  static func rows(
    of matrices: Floats, groups: Int = 1, rows: Int, depth: Int, step: Int, depthStep: Int, part: WeightPart = .all
  ) -> Tensor {
    let size = rowFloats(rows, depth: depth)
    return Tensor(uninitialized: [groups * size + slack]) { result in
      result.suffix(slack).update(repeating: 0)
      for group in 0..<groups {
        rk_pack_rows(
          matrices + group * rows * depth, step, depthStep, rows, depth, part.kernel, result.baseAddress! + group * size
        )
      }
    }
  }
}

/// Rows divided into whole blocks of a packed operand, as evenly as possible.
struct RowBlocks: Sendable {
  let count: Int
  private let rows: Int
  private let panels: Int

  init(_ rows: Int, atMost most: Int) {
    self.rows = rows
    panels = (rows + PackedProduct.rowBlock - 1) / PackedProduct.rowBlock
    let perBlock = max(most / PackedProduct.rowBlock, 1)
    count = (panels + perBlock - 1) / perBlock
  }

  /// The number of rows of the largest block.
  var largest: Int { min((panels + count - 1) / count * PackedProduct.rowBlock, rows) }

  subscript(block: Int) -> Range<Int> {
    let first = block * panels / count * PackedProduct.rowBlock
    return first..<min((block + 1) * panels / count * PackedProduct.rowBlock, rows)
  }
}

/// How a product of rows × columns is divided for threads and caches.
///
/// The pieces of the depth depend on the depth only; rows and columns may be divided in any way.
struct TileCut: Sendable {
  let tiles: Int
  let slices: Int
  /// The parts of the depth that are laid out one after the other.
  let pieces: [Range<Int>]
  /// The number of floats of a tile's columns, one piece at a time.
  let laidOut: Int
  /// The number of columns of a tile.
  let width: Int
  private let height: Int
  private let columns: Int
  private let rows: Int

  /// The number of floats that are laid out at a time: with the weights read for them, they stay in the second-level
  /// cache.
  private static let cached = 48 << 10
  /// The largest piece of the depth.
  private static let deepest = 640
  private static let widest = 192
  /// The number of multiply-adds that justifies a task: some microseconds.
  private static let leastWork = 1 << 19

  /// - Parameter copies: the number of equal products that share a set of tasks.
  init(columns: Int, rows: Int, depth: Int, copies: Int, on workers: Workers) {
    (self.columns, self.rows) = (columns, rows)
    let pieceCount = max((depth + Self.deepest - 1) / Self.deepest, 1)
    let piece = (depth + pieceCount - 1) / pieceCount
    pieces = (0..<pieceCount).map { $0 * piece..<min(($0 + 1) * piece, depth) }
    // Pairs of blocks are fastest.
    let unit = 2 * PackedProduct.columnBlock
    let most = max(min(Self.widest, Self.cached / max(piece, 1) / unit * unit), unit)
    let work = rows * columns * depth
    // Several tasks for each thread, if they are large enough, so that all threads end together.
    let wanted = workers.count == 1 ? 1 : min(3 * workers.count, max(work * copies / Self.leastWork, 1))
    let tilesWanted = max((columns + most - 1) / most, min((wanted + copies - 1) / copies, (columns + unit - 1) / unit))
    // Whole blocks of rows, for small maps.
    let byTiles = rows >= 4 * columns ? (columns + most - 1) / most : tilesWanted
    width =
      ((columns + byTiles - 1) / byTiles).roundedUp(to: PackedProduct.columnBlock)
    tiles = (columns + width - 1) / width
    let slicesWanted = max(1, min((wanted + tiles * copies - 1) / (tiles * copies), rows / 48))
    height =
      ((rows + slicesWanted - 1) / slicesWanted).roundedUp(to: PackedProduct.rowBlock)
    slices = (rows + height - 1) / height
    laidOut = PackedProduct.columnFloats(width, depth: piece)
  }

  func columns(ofTile tile: Int) -> Range<Int> { min(tile * width, columns)..<min((tile + 1) * width, columns) }
  func rows(ofSlice slice: Int) -> Range<Int> { min(slice * height, rows)..<min((slice + 1) * height, rows) }
}

extension Int {
  func roundedUp(to factor: Int) -> Int { (self + factor - 1) / factor * factor }
}
