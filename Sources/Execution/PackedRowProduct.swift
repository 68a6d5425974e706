import CKernels
import Tensors

/// Products of many rows with packed weights: y ← x·B, both y and x row after row.
struct PackedRowProduct {
  let rows: Int
  let depth: Int
  let columns: Int
  /// Packed columns: blocks of depth × 16.
  let weights: Tensor

  /// Fewer rows than this are not worth packed weights.
  static let fewestRows = 24
  /// Floats of weights that are packed at most; reading larger ones is what a product costs.
  static let mostWeights = 1 << 24

  private static let tileRows = 96
  private static let tileColumns = 128
  private static let deepest = 640
  private static let leastWork = 1 << 19

  /// Weights of which column j's elements are `weights[j·step + p·depthStep]`.
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

  /// Calls `finish` with the rows and columns of each part of y when they are there.
  func multiply(
    _ x: Floats, _ y: MutableFloats, accumulates: Bool, on workers: Workers,
    finish: @Sendable (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    let pieces = max((depth + Self.deepest - 1) / Self.deepest, 1)
    let piece = (depth + pieces - 1) / pieces
    let perThread = max(rows / (2 * workers.count), PackedProduct.rowBlock)
    let height = min(Self.tileRows, perThread.roundedUp(to: PackedProduct.rowBlock))
    let tiles = (rows + height - 1) / height
    // Few rows are shared out by columns as well.
    let wanted = min(2 * workers.count, max(rows * columns * depth / Self.leastWork, 1))
    let slices = max(1, min((wanted + tiles - 1) / tiles, columns / Self.tileColumns))
    let width = ((columns + slices - 1) / slices).roundedUp(to: 2 * PackedProduct.columnBlock)
    let shared = Shared((x: x, y: y))
    workers.run(tiles * slices, scratch: PackedProduct.rowFloats(height, depth: piece) + PackedProduct.slack) {
      task, packed in
      let (x, y) = shared.pointer
      let own = task / slices * height..<min((task / slices + 1) * height, rows)
      let slice = min(task % slices * width, columns)..<min((task % slices + 1) * width, columns)
      guard !slice.isEmpty else { return }
      weights.withUnsafeElements { weights in
        for first in stride(from: 0, to: depth, by: piece) {
          let count = min(piece, depth - first)
          rk_pack_rows(
            x + own.lowerBound * depth + first, depth, 1, own.count, count, WeightPart.all.kernel, packed)
          for column in stride(from: slice.lowerBound, to: slice.upperBound, by: Self.tileColumns) {
            rk_product(
              own.count, min(Self.tileColumns, slice.upperBound - column), count, packed,
              count * PackedProduct.rowBlock, weights.baseAddress! + column * depth + first * PackedProduct.columnBlock,
              depth * PackedProduct.columnBlock, y + own.lowerBound * columns + column, columns,
              accumulates || first > 0 ? 1 : 0, nil)
          }
        }
      }
      finish(own, slice)
    }
  }
}
