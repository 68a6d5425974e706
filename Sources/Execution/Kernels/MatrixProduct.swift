import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension MatrixProduct: DirectlyComputed { typealias Computed = MatrixProductKernel }

/// Products of the matrices of two operands, `C = A·B`, divided among the threads by matrices and blocks of rows.
struct MatrixProductKernel: OperatorKernel, GuidedKernel {
  private let extents: MatrixExtents
  /// The number of matrices of each operand.
  private let count: (a: Int, b: Int)

  init(_ product: MatrixProduct, at site: KernelSite) throws {
    let (a, b) = (site.operands[0].shape, site.operands[1].shape)
    extents = try MatrixExtents(a, b)
    func matrices(_ shape: TensorShape) -> Int { shape.dimensions.dropLast(2).reduce(1, *) }
    count = (matrices(a), matrices(b))
  }

  private var leftSize: Int { extents.rows * extents.depth }
  private var rightSize: Int { extents.depth * extents.columns }
  private var resultSize: Int { extents.rows * extents.columns }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let (rows, columns, depth) = (extents.rows, extents.columns, extents.depth)
    workers.products.add(extents.matrices.count * rows * columns * depth)
    let terms = extents.matrices.map { [(a: $0.a * leftSize, b: $0.b * rightSize)] }
    StridedProducts(rows: rows, columns: columns, depth: depth, a: (depth, 1), b: (columns, 1))
      .multiply(operands[0], operands[1], output, terms: terms, on: workers)
  }

  /// `∂A ← S·Bᵀ` and `∂B ← Aᵀ·S`, summed over the matrices of the result that depend on each.
  func adjoint(
    _ upstream: Floats, at operands: [Floats], items: Int, seeds: Int, _ results: [MutableFloats?], on workers: Workers
  ) {
    let (rows, columns, depth) = (extents.rows, extents.columns, extents.depth)
    // The seeds of an item of the batch are adjacent, and items do not affect each other.
    let items = seeds == 1 ? 1 : items
    let perItem = (result: extents.matrices.count / items, a: count.a / items, b: count.b / items)
    /// For each matrix of an operand, the matrices of the result that depend on it, and the matching matrices of the
    /// other operand.
    func terms(
      _ number: Int, _ own: (_ matrices: (a: Int, b: Int)) -> Int, _ other: (_ matrices: (a: Int, b: Int)) -> Int
    ) -> [[(result: Int, other: Int)]] {
      // The first item's matrices determine which ones belong together.
      var together = [[Int]](repeating: [], count: number)
      for matrix in 0..<perItem.result { together[own(extents.matrices[matrix])].append(matrix) }
      return (0..<items * seeds).flatMap { piece in
        let first = piece / seeds * perItem.result
        return together.map { matrices in
          matrices.map { (piece * perItem.result + $0, other(extents.matrices[first + $0])) }
        }
      }
    }
    if let left = results[0] {
      workers.products.add(seeds * extents.matrices.count * rows * columns * depth)
      let all = terms(perItem.a, { $0.a }, { $0.b }).map {
        $0.map { (a: $0.result * resultSize, b: $0.other * rightSize) }
      }
      StridedProducts(rows: rows, columns: depth, depth: columns, a: (columns, 1), b: (1, columns))
        .multiply(upstream, operands[1], left, terms: all, on: workers)
    }
    if let right = results[1] {
      workers.products.add(seeds * extents.matrices.count * rows * columns * depth)
      let all = terms(perItem.b, { $0.b }, { $0.a }).map {
        $0.map { (a: $0.other * leftSize, b: $0.result * resultSize) }
      }
      StridedProducts(rows: depth, columns: columns, depth: rows, a: (1, depth), b: (columns, 1))
        .multiply(operands[0], upstream, right, terms: all, on: workers)
    }
  }
}

/// Many products of matrices of equal extents; each matrix of the result is one product or the sum of several.
private struct StridedProducts {
  let rows: Int
  let columns: Int
  let depth: Int
  /// The distance between rows of the left matrix, and between elements along the depth.
  let a: (step: Int, depthStep: Int)
  /// The distance between elements of the right matrix along the depth, and between its columns.
  let b: (depthStep: Int, step: Int)

  private static let tallest = 96
  /// With this many matrices for each thread, a task multiplies whole matrices, so that the right one is packed once.
  private static let manyMatrices = 4
  private static let tallestOfMany = 384
  private static let widest = 512
  private static let deepest = 640

  /// Computes each matrix `i` of the contiguous result from the pairs of matrices that start at `terms[i]`.
  func multiply(
    _ left: Floats, _ right: Floats, _ result: MutableFloats, terms: [[(a: Int, b: Int)]], on workers: Workers
  ) {
    guard rows > 0, columns > 0 else { return }
    // The division of rows and columns does not change bits.
    let tallest = terms.count >= Self.manyMatrices * workers.count ? Self.tallestOfMany : Self.tallest
    let (tall, wide) = (min(tallest, rows), min(Self.widest, columns))
    let bands = (rows + tall - 1) / tall
    let slices = (columns + wide - 1) / wide
    let deep = max(min(Self.deepest, depth), 1)
    let rowFloats = (PackedProduct.rowFloats(tall, depth: deep) + PackedProduct.slack).roundedUp(to: 16)
    let shared = Shared((left: left, right: right, result: result))
    workers.run(
      terms.count * bands * slices, scratch: rowFloats + PackedProduct.columnFloats(wide, depth: deep)
    ) { task, scratch in
      let matrix = task / (bands * slices)
      let ownRows = task / slices % bands * tall..<min((task / slices % bands + 1) * tall, rows)
      let ownColumns = task % slices * wide..<min((task % slices + 1) * wide, columns)
      let target = shared.pointer.result + (matrix * rows + ownRows.lowerBound) * columns + ownColumns.lowerBound
      guard depth > 0, !terms[matrix].isEmpty else {
        for row in 0..<ownRows.count { (target + row * columns).update(repeating: 0, count: ownColumns.count) }
        return
      }
      var accumulates = false
      for term in terms[matrix] {
        for first in stride(from: 0, to: depth, by: deep) {
          let count = min(deep, depth - first)
          rk_pack_rows(
            shared.pointer.left + term.a + ownRows.lowerBound * a.step + first * a.depthStep, a.step, a.depthStep,
            ownRows.count, count, WeightPart.all.kernel, scratch)
          rk_pack_columns(
            shared.pointer.right + term.b + ownColumns.lowerBound * b.step + first * b.depthStep, b.step, b.depthStep,
            ownColumns.count, count, WeightPart.all.kernel, scratch + rowFloats, count * PackedProduct.columnBlock)
          // C ← A·B (+ C), one block of rows and columns.
          rk_product(
            ownRows.count, ownColumns.count, count, scratch, count * PackedProduct.rowBlock, scratch + rowFloats,
            count * PackedProduct.columnBlock, target, columns, accumulates ? 1 : 0, nil, nil)
          accumulates = true
        }
      }
    }
  }
}
