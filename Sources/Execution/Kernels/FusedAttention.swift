import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension FusedAttention: DirectlyComputed { typealias Computed = FusedAttentionKernel }

/// Attention for predictions. A task computes the weights of a band of rows, and their product with the values, before
/// it goes on; bits are those of separate products.
struct FusedAttentionKernel: OperatorKernel {
  private let scores: MatrixExtents
  private let result: MatrixExtents
  private let scale: FusedAttention.Scale

  /// The number of rows whose weights are computed at a time.
  private static let tallest = 4 * PackedProduct.rowBlock
  /// Tasks for each thread from which on a task computes all rows of a matrix, so that it packs K and V once.
  private static let manyMatrices = 4

  init(_ attention: FusedAttention, at site: KernelSite) throws {
    (scores, result) = try attention.extents(site.operands.map(\.shape))
    scale = attention.scale
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let (rows, keys, depth, columns) = (scores.rows, scores.columns, scores.depth, result.columns)
    guard rows > 0, columns > 0 else { return }
    workers.products.add(
      (scores.matrices.count * depth + result.matrices.count * columns) * rows * keys)
    let band = min(Self.tallest, rows)
    let bands = (rows + band - 1) / band
    let parts = result.matrices.count >= Self.manyMatrices * workers.count ? 1 : bands
    // The operands of both products, and the weights of a band.
    let left = (PackedProduct.rowFloats(band, depth: max(depth, keys)) + PackedProduct.slack).roundedUp(to: 16)
    let (k, v) = (PackedProduct.columnFloats(keys, depth: depth), PackedProduct.columnFloats(columns, depth: keys))
    let shared = Shared((q: operands[0], k: operands[1], v: operands[2], y: output))
    workers.run(
      result.matrices.count * parts, scratch: left + k + v + band * keys
    ) { task, scratch in
      let matrix = task / parts
      let (weighted, values) = (result.matrices[matrix].a, result.matrices[matrix].b)
      let (query, key) = scores.matrices[weighted]
      let (packedK, packedV, weights) = (scratch + left, scratch + left + k, scratch + left + k + v)
      Self.packColumns(shared.pointer.k + key * depth * keys, depth, keys, to: packedK)
      Self.packColumns(shared.pointer.v + values * keys * columns, keys, columns, to: packedV)
      for first in stride(from: task % parts * band, to: rows, by: parts * band) {
        let count = min(band, rows - first)
        Self.multiply(
          shared.pointer.q + (query * rows + first) * depth, count, depth, packedK, keys, scratch, to: weights)
        switch scale {
        case .none: break
        case .times(let factor): for i in 0..<count * keys { weights[i] *= factor }
        case .over(let divisor): for i in 0..<count * keys { weights[i] /= divisor }
        }
        for row in 0..<count { rk_softmax(weights + row * keys, weights + row * keys, 0, keys) }
        Self.multiply(
          weights, count, keys, packedV, columns, scratch,
          to: shared.pointer.y + (matrix * rows + first) * columns)
      }
    }
  }

  private static func packColumns(_ matrix: Floats, _ depth: Int, _ columns: Int, to packed: MutableFloats) {
    rk_pack_columns(
      matrix, 1, columns, columns, depth, WeightPart.all.kernel, packed, depth * PackedProduct.columnBlock)
  }

  /// y ← x·B for contiguous rows.
  private static func multiply(
    _ x: Floats, _ rows: Int, _ depth: Int, _ packed: Floats, _ columns: Int, _ scratch: MutableFloats,
    to y: MutableFloats
  ) {
    rk_pack_rows(x, depth, 1, rows, depth, WeightPart.all.kernel, scratch)
    rk_product(
      rows, columns, depth, scratch, depth * PackedProduct.rowBlock, packed, depth * PackedProduct.columnBlock, y,
      columns, 0, nil, nil)
  }
}
