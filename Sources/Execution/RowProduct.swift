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

  /// A band's rows, and two panels of this many columns, stay in the second-level cache.
  private static let panelColumns = 2 * PackedProduct.columnBlock
  private static let deepest = 768
  private static let tallest = 240
  private static let widest = 256
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
  ///   - bias: a number for each column, which is added.
  ///   - rectifies: whether negative elements of y are replaced by 0.
  func multiply(
    _ x: Floats, lead: Int, _ y: MutableFloats, accumulates: Bool, bias: Floats? = nil, rectifies: Bool = false,
    on workers: Workers,
    finish: @Sendable (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    guard rows > 0, columns > 0 else { return }
    // Pieces depend on the depth only; rows and columns may be divided in any way.
    let pieces = max((depth.count + Self.deepest - 1) / Self.deepest, 1)
    let piece = (depth.count + pieces - 1) / pieces
    let padded = rows.roundedUp(to: PackedProduct.rowBlock)
    let packed = workers.pool.storage(count: padded * depth.count + PackedProduct.slack)
    let shared = Shared((x: x, y: y, packed: packed.base, bias: bias))

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
        let isComplete = part.upperBound == depth.count
        for column in stride(from: slice.lowerBound, to: slice.upperBound, by: Self.panelColumns) {
          let panel = Panel(depth: part, columns: column..<min(column + Self.panelColumns, slice.upperBound))
          var end = rk_product_end()
          if isComplete {
            end.column_bias = shared.pointer.bias.map { $0 + column }
            end.rectifies = rectifies ? 1 : 0
          }
          multiply(
            shared.pointer.packed + padded * first, own, panel, of: all.pointer, before: next(panel, slice, piece),
            to: shared.pointer.y, accumulates: accumulates || first > 0, end, scratch)
        }
      }
      finish(own, slice)
    }
    withExtendedLifetime((weights, packed)) {}
  }

  /// A part of B.
  private struct Panel {
    let depth: Range<Int>
    let columns: Range<Int>
  }

  /// The panel that a task multiplies after another one; empty after the last.
  private func next(_ panel: Panel, _ slice: Range<Int>, _ piece: Int) -> Panel {
    let isLast = panel.columns.upperBound == slice.upperBound
    let column = isLast ? slice.lowerBound : panel.columns.upperBound
    let first = panel.depth.upperBound
    return Panel(
      depth: isLast ? first..<min(first + piece, depth.count) : panel.depth,
      columns: column..<min(column + Self.panelColumns, slice.upperBound))
  }

  /// The product of packed rows with a panel, while the next panel is brought into cache.
  private func multiply(
    _ packed: Floats, _ rows: Range<Int>, _ panel: Panel, of all: Floats, before next: Panel, to y: MutableFloats,
    accumulates: Bool, _ end: rk_product_end, _ scratch: MutableFloats
  ) {
    let count = panel.depth.count
    var b = Floats(scratch)
    var step = count * PackedProduct.columnBlock
    var ahead = rk_ahead()
    switch weights {
    case .packed(_, let deep):
      b =
        all + panel.columns.lowerBound * deep + (depth.lowerBound + panel.depth.lowerBound) * PackedProduct.columnBlock
      step = deep * PackedProduct.columnBlock
    case .unpacked(_, let columnStep, let depthStep, let part):
      func place(_ panel: Panel) -> Floats {
        all + panel.columns.lowerBound * columnStep + (depth.lowerBound + panel.depth.lowerBound) * depthStep
      }
      rk_pack_columns(place(panel), columnStep, depthStep, panel.columns.count, count, part.kernel, scratch, step)
      // Neighbors in memory are along the depth or the columns.
      let (run, lines) = depthStep == 1 ? (next.depth, next.columns) : (next.columns, next.depth)
      ahead = rk_ahead(x: place(next), step: max(columnStep, depthStep), rows: lines.count, count: run.count)
    }
    withUnsafePointer(to: end) { end in
      rk_product(
        rows.count, panel.columns.count, count, packed + rows.lowerBound * count, count * PackedProduct.rowBlock, b,
        step, y + rows.lowerBound * columns + panel.columns.lowerBound, columns, accumulates ? 1 : 0, end, &ahead)
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
