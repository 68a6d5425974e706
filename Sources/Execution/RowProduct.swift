import CRelevanceKernels
import RelevanceTensors

/// Products of many rows with weights: y ← x·B, where the rows of y are contiguous.
struct RowProduct {
  let rows: Int
  /// The rows of B that are used.
  let depth: Range<Int>
  let columns: Int
  let weights: Weights

  /// The storage of B.
  enum Weights {
    /// In packed columns: blocks of the whole depth × 16.
    case packed(Tensor, depth: Int)
    /// part(B), of a tensor in which element p of column j is `[j·step + p·depthStep]`; one of the steps is 1.
    case unpacked(Tensor, step: Int, depthStep: Int, part: WeightPart)
  }

  /// With fewer rows than this, laying out weights does not pay.
  static let fewestRows = 24
  /// From this number of rows on, laying out weights during the product costs little in comparison.
  static let manyRows = 96
  /// The largest number of floats of weights that are packed; for larger weights, reading takes most of the time.
  static let mostWeights = 1 << 24

  /// A panel of this many columns and this much of their depth stays in the first-level cache, and the band's rows in
  /// the second-level cache.
  private static let panelColumns = 2 * PackedProduct.columnBlock
  private static let deepest = 384
  private static let tallest = 240
  private static let widest = 128
  /// The number of rows that a task lays out.
  private static let rowsAtOnce = 4 * PackedProduct.rowBlock
  private static let leastWork = 1 << 19

  /// Packs weights in which the elements of column j are `weights[j·step + p·depthStep]`.
  static func packed(
    _ weights: Tensor, columns: Int, depth: Int, step: Int, depthStep: Int, part: WeightPart
  ) -> Tensor {
    Tensor(uninitialized: [PackedProduct.columnFloats(columns, depth: depth)]) { result in
      weights.withUnsafeElements {
        rk_pack_columns(
          $0.baseAddress!, step, depthStep, columns, depth, part.kernel, result.baseAddress!,
          depth * PackedProduct.columnBlock)
      }
    }
  }

  /// Computes y, and calls `finish` with the rows and columns of each part of y when it is complete.
  ///
  /// - Parameters:
  ///   - x: the rows' elements for the first row of B that is used.
  ///   - lead: the number of floats between rows of x.
  func multiply(
    _ x: Floats, lead: Int, _ y: MutableFloats, accumulates: Bool, on workers: Workers,
    finish: @Sendable (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    guard rows > 0, columns > 0 else { return }
    // Pieces depend on the depth only; rows and columns may be divided in any way.
    let pieces = max((depth.count + Self.deepest - 1) / Self.deepest, 1)
    let piece = (depth.count + pieces - 1) / pieces
    let padded = rows.roundedUp(to: PackedProduct.rowBlock)
    let packed = workers.pool.storage(count: padded * depth.count + PackedProduct.slack)
    let shared = Shared((x: x, y: y, packed: packed.base))

    let chunks = (rows + Self.rowsAtOnce - 1) / Self.rowsAtOnce
    workers.run(pieces * chunks) { task in
      let first = task / chunks * piece
      let row = task % chunks * Self.rowsAtOnce
      let count = min(piece, depth.count - first)
      rk_pack_rows(
        shared.pointer.x + row * lead + first, lead, 1, min(Self.rowsAtOnce, rows - row), count, WeightPart.all.kernel,
        shared.pointer.packed + padded * first + row * count)
    }

    let bands = RowBlocks(rows, atMost: Self.tallest)
    let wanted = min(6 * workers.count, max(rows * columns * depth.count / Self.leastWork, 1))
    let perBand = max((wanted + bands.count - 1) / bands.count, (columns + Self.widest - 1) / Self.widest)
    let width = ((columns + perBand - 1) / perBand).roundedUp(to: Self.panelColumns)
    let slices = (columns + width - 1) / width
    // Held once for all tasks: if each task counted a reference, they would wait for one another.
    let all = weights.tensor.withUnsafeElements { Shared($0.baseAddress!) }
    workers.run(bands.count * slices, scratch: piece * Self.panelColumns) { task, scratch in
      let own = bands[task / slices]
      let slice = task % slices * width..<min((task % slices + 1) * width, columns)
      for first in stride(from: 0, to: max(depth.count, 1), by: max(piece, 1)) {
        let part = first..<min(first + piece, depth.count)
        for column in stride(from: slice.lowerBound, to: slice.upperBound, by: Self.panelColumns) {
          let own = (depth: part, columns: column..<min(column + Self.panelColumns, slice.upperBound), rows: own)
          let isLast = own.columns.upperBound == slice.upperBound
          let next = isLast ? slice.lowerBound : own.columns.upperBound
          multiply(
            own, of: shared.pointer.packed + padded * first, with: all.pointer, to: shared.pointer.y,
            accumulates: accumulates || first > 0, scratch,
            next: (
              depth: isLast ? part.upperBound..<min(part.upperBound + piece, depth.count) : part,
              columns: next..<min(next + Self.panelColumns, slice.upperBound)
            ))
        }
      }
      finish(own, slice)
    }
    withExtendedLifetime((weights, packed)) {}
  }

  /// The product of a band's rows with a panel, while the next panel is prefetched.
  private func multiply(
    _ own: (depth: Range<Int>, columns: Range<Int>, rows: Range<Int>), of packed: Floats, with all: Floats,
    to y: MutableFloats, accumulates: Bool, _ scratch: MutableFloats, next: (depth: Range<Int>, columns: Range<Int>)
  ) {
    let count = own.depth.count
    let (b, step): (Floats, Int)
    // The lines to prefetch: unpacked columns, or positions of the depth.
    var (from, lead, lines, run) = (all, 0, 0, 0)
    switch weights {
    case .packed(_, let deep):
      b = all + own.columns.lowerBound * deep + (depth.lowerBound + own.depth.lowerBound) * PackedProduct.columnBlock
      step = deep * PackedProduct.columnBlock
    case .unpacked(_, let columnStep, let depthStep, let part):
      func place(_ panel: (depth: Range<Int>, columns: Range<Int>)) -> Floats {
        all + panel.columns.lowerBound * columnStep + (depth.lowerBound + panel.depth.lowerBound) * depthStep
      }
      step = count * PackedProduct.columnBlock
      rk_pack_columns(
        place((own.depth, own.columns)), columnStep, depthStep, own.columns.count, count, part.kernel, scratch, step)
      b = Floats(scratch)
      from = place(next)
      (lead, lines, run) =
        depthStep == 1
        ? (columnStep, next.columns.count, next.depth.count) : (depthStep, next.depth.count, next.columns.count)
    }
    var brought = 0
    for row in stride(from: own.rows.lowerBound, to: own.rows.upperBound, by: PackedProduct.rowBlock) {
      let end = min(row + PackedProduct.rowBlock, own.rows.upperBound)
      let share = (end - own.rows.lowerBound) * lines / own.rows.count
      rk_prefetch(from + brought * lead, lead, share - brought, run)
      brought = share
      rk_product(
        end - row, own.columns.count, count, packed + row * count, count * PackedProduct.rowBlock, b, step,
        y + row * columns + own.columns.lowerBound, columns, accumulates ? 1 : 0, nil)
    }
  }
}

extension RowProduct.Weights {
  fileprivate var tensor: Tensor {
    switch self {
    case .packed(let tensor, _), .unpacked(let tensor, _, _, _): tensor
    }
  }
}
