import CRelevanceKernels
import RelevanceTensors

/// Matrices in the order in which a product reads them.
enum PackedProduct {
  static let rowBlock = Int(RK_PRODUCT_ROWS)
  static let columnBlock = Int(RK_PRODUCT_COLUMNS)

  /// Floats that some rows take.
  static func rowFloats(_ count: Int, depth: Int) -> Int { count.roundedUp(to: rowBlock) * depth }

  /// Floats behind rows that a product may read.
  static let slack = 4

  /// Floats that some columns take.
  static func columnFloats(_ count: Int, depth: Int) -> Int { count.roundedUp(to: columnBlock) * depth }

  /// `groups` matrices of `rows` × `depth`, one after the other, whose rows are laid out.
  ///
  /// - Parameters:
  ///   - step: floats between rows.
  ///   - depthStep: floats between the elements of a row.
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

/// Rows shared out in whole blocks of a packed operand, as evenly as that allows.
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

  /// Rows of the largest.
  var largest: Int { min((panels + count - 1) / count * PackedProduct.rowBlock, rows) }

  subscript(block: Int) -> Range<Int> {
    let first = block * panels / count * PackedProduct.rowBlock
    return first..<min((block + 1) * panels / count * PackedProduct.rowBlock, rows)
  }
}

/// How a product of rows × columns is cut for threads and caches.
///
/// The depth's pieces depend on the depth alone; rows and columns may be cut in any way.
struct TileCut: Sendable {
  let tiles: Int
  let slices: Int
  /// Parts of the depth that are laid out one after the other.
  let pieces: [Range<Int>]
  /// Floats that a tile's columns take, one piece at a time.
  let laidOut: Int
  /// Columns of a tile.
  let width: Int
  private let height: Int
  private let columns: Int
  private let rows: Int

  /// Floats that are laid out at a time: they stay in the second cache with the weights that are read beside them.
  private static let cached = 48 << 10
  /// Of the depth at a time.
  private static let deepest = 640
  private static let widest = 192
  /// Multiply-adds that are worth a task: some microseconds.
  private static let leastWork = 1 << 19

  /// - Parameter copies: how many products there are of the kind, that take part in the same run of tasks.
  init(columns: Int, rows: Int, depth: Int, copies: Int, on workers: Workers) {
    (self.columns, self.rows) = (columns, rows)
    let pieceCount = max((depth + Self.deepest - 1) / Self.deepest, 1)
    let piece = (depth + pieceCount - 1) / pieceCount
    pieces = (0..<pieceCount).map { $0 * piece..<min(($0 + 1) * piece, depth) }
    // Pairs of blocks, which are the fastest.
    let unit = 2 * PackedProduct.columnBlock
    let most = max(min(Self.widest, Self.cached / max(piece, 1) / unit * unit), unit)
    let work = rows * columns * depth
    // Several tasks for each thread, so that all end together, if they are worth it.
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
