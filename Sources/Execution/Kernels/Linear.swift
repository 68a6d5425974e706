import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension Linear: DirectlyComputed { typealias Computed = FullyConnectedKernel }

/// A fully connected layer, `y = W·x + b`.
///
/// Reading W from memory takes most of the time. W is therefore read once for both `W·x` and `W⁺·x`, its signed parts
/// are never stored, and the adjoint reads only the rows of outputs with relevance.
struct FullyConnectedKernel: OperatorKernel, WeightedKernel {
  let inputShape: TensorShape
  let outputShape: TensorShape
  private let weight: Tensor
  private let biases: Tensor?
  private let derived: DerivedWeights
  private let isReference: Bool

  /// The number of rows of W that one task reads.
  private static let block = 32
  /// The number of columns of W that a product of several items uses at a time: with the signed part of the block's
  /// rows they stay in cache.
  private static let depth = 2048
  /// Up to this number of items, W is multiplied row by row; above it, block by block with a copy of the signed part.
  private static let fewItems = 2

  init(_ linear: Linear, at site: KernelSite) {
    (inputShape, outputShape) = (site.operands[0].shape, site.output.shape)
    (weight, biases, derived) = (linear.weight, linear.bias, site.weights)
    isReference = site.algorithm == .im2col
  }

  var bias: (values: Tensor, run: Int)? { biases.map { ($0, 1) } }
  private var inputs: Int { weight.shape[1] }
  private var outputs: Int { weight.shape[0] }
  private var items: Int { outputs == 0 ? 0 : outputShape.count / outputs }

  /// Whether rows are laid out for products: with few rows, reading the weights takes most of the time.
  private func laysOutRows(_ rows: Int) -> Bool { !isReference && rows >= RowProduct.fewestRows }

  /// x·part(W)ᵀ, or s·part(W) for the outputs in `depth`.
  private func rowProduct(_ part: WeightPart, rows: Int, turned: Bool, depth: Range<Int>? = nil) -> RowProduct {
    let (deep, columns) = turned ? (outputs, inputs) : (inputs, outputs)
    let (step, depthStep) = turned ? (1, inputs) : (inputs, 1)
    let depth = depth ?? 0..<deep
    if rows >= RowProduct.manyRows || weight.count > RowProduct.mostWeights {
      return RowProduct(
        rows: rows, depth: depth, columns: columns,
        weights: .unpacked(weight, step: step, depthStep: depthStep, part: part))
    }
    let packed = derived.value(for: .packed(part, turned: turned)) {
      RowProduct.packed(weight, columns: columns, depth: deep, step: step, depthStep: depthStep, part: part)
    }
    return RowProduct(rows: rows, depth: depth, columns: columns, weights: .packed(packed, depth: deep))
  }

  func forward(
    _ x: Floats, _ y: MutableFloats, rectifies: Bool, sideProduct: SideProduct?, followers: Followers,
    on workers: Workers
  ) {
    if laysOutRows(items) {
      let whole = rowProduct(.all, rows: items, turned: false)
      let finish: @Sendable (Range<Int>, Range<Int>) -> Void = { rows, columns in
        followers.compute(
          OutputTile(
            start: rows.lowerBound * outputs + columns.lowerBound, rows: rows.count, lead: outputs, count: columns.count
          ))
      }
      func multiply(_ bias: Floats?) {
        whole.multiply(
          x, lead: inputs, y, accumulates: false, bias: bias, rectifies: rectifies, on: workers, finish: finish)
      }
      if let biases { biases.withUnsafeElements { multiply($0.baseAddress) } } else { multiply(nil) }
      if let sideProduct { product(.positive, x, sideProduct.product, accumulates: false, on: workers) }
      return
    }
    if let sideProduct = sideProduct?.product {
      products(.positive, x, sideProduct, all: y, accumulates: false, on: workers)
    } else {
      products(.all, x, y, all: nil, accumulates: false, on: workers)
    }
    for item in 0..<items {
      let y = y + item * outputs
      biases?.withUnsafeElements { rk_add(y, y, $0.baseAddress!, outputs) }
      if rectifies { rk_relu(y, y, outputs) }
    }
    followers.compute(all: outputShape.count, on: workers)
  }

  func product(_ part: WeightPart, _ x: Floats, _ y: MutableFloats, accumulates: Bool, on workers: Workers) {
    if laysOutRows(items) {
      return rowProduct(part, rows: items, turned: false)
        .multiply(x, lead: inputs, y, accumulates: accumulates, on: workers) { _, _ in }
    }
    products(part, x, y, all: nil, accumulates: accumulates, on: workers)
  }

  /// y ← part(W)·x (+ y) and, if `all` is given, all ← W·x in the same read of W.
  private func products(
    _ part: WeightPart, _ x: Floats, _ y: MutableFloats, all: MutableFloats?, accumulates: Bool, on workers: Workers
  ) {
    let isDense = items > Self.fewItems
    let depth = min(inputs, Self.depth)
    let shared = Shared((x: x, y: y, all: all))
    let scratch = isDense ? (part == .all ? 0 : Self.block * depth) : Self.block
    forEachBlock(scratch: scratch, on: workers) { rows, w, scratch in
      let (x, y, all) = shared.pointer
      guard isDense else {
        for item in 0..<items {
          let at = item * outputs + rows.lowerBound
          rk_products(
            w, inputs, rows.count, x + item * inputs, inputs, part.kernel, all.map { $0 + at },
            accumulates ? scratch : y + at)
          if accumulates { rk_add(y + at, y + at, scratch, rows.count) }
        }
        return
      }
      for first in stride(from: 0, to: inputs, by: depth) {
        let count = min(depth, inputs - first)
        // Y ← X·part(W)ᵀ (+ Y): items × the block's outputs.
        func multiply(_ w: Floats, _ lead: Int, _ y: MutableFloats, accumulates: Bool) {
          BLAS.gemm(
            transposeB: true, m: items, n: rows.count, k: count, a: x + first, lda: inputs, b: w, ldb: lead,
            beta: accumulates ? 1 : 0, c: y + rows.lowerBound, ldc: outputs)
        }
        if let all { multiply(w + first, inputs, all, accumulates: first > 0) }
        if part == .all {
          multiply(w + first, inputs, y, accumulates: accumulates || first > 0)
        } else {
          for row in 0..<rows.count {
            rk_part_copy(scratch + row * depth, w + row * inputs + first, count, part.kernel)
          }
          multiply(scratch, depth, y, accumulates: accumulates || first > 0)
        }
      }
    }
  }

  func adjoint(_ part: WeightPart, _ s: Floats, seeds: Int, _ c: MutableFloats, factor: Floats?, on workers: Workers) {
    let total = items * seeds
    let rowsPerItem = outputShape.rank > 1 ? max(items / max(outputShape[0], 1), 1) : items
    /// An item of the batch can have several rows, which are contiguous for each seed.
    @Sendable func row(ofFactor row: Int) -> Int { row / rowsPerItem / seeds * rowsPerItem + row % rowsPerItem }
    let live = (0..<total).filter { row in
      UnsafeBufferPointer(start: s + row * outputs, count: outputs).contains { $0 != 0 }
    }
    guard live.count <= total / 2 else {
      return adjoint(part, s, rows: total, c, factor: factor, rowOfFactor: row, on: workers)
    }
    // After a class token is selected, no relevance arrives at the other tokens.
    let stored = workers.pool.storage(count: live.count * (inputs + outputs))
    let (ownC, ownS) = (stored.base, stored.base + live.count * inputs)
    for (place, row) in live.enumerated() { (ownS + place * outputs).update(from: s + row * outputs, count: outputs) }
    adjoint(part, ownS, rows: live.count, ownC, factor: factor, rowOfFactor: { row(ofFactor: live[$0]) }, on: workers)
    c.update(repeating: 0, count: total * inputs)
    for (place, row) in live.enumerated() { (c + row * inputs).update(from: ownC + place * inputs, count: inputs) }
    withExtendedLifetime(stored) {}
  }

  /// `C ← S·part(W) ⊙ factor` for rows of S; row `r` is multiplied by row `rowOfFactor(r)` of the factor.
  private func adjoint(
    _ part: WeightPart, _ s: Floats, rows total: Int, _ c: MutableFloats, factor: Floats?,
    rowOfFactor: @escaping @Sendable (Int) -> Int, on workers: Workers
  ) {
    guard total > 0 else { return }
    // Weights are read only for outputs with relevance from some item.
    let rows = [Int](
      [UInt8](unsafeUninitializedCapacity: outputs) { flags, count in
        if outputs > 0 { rk_nonzero_columns(s, total, outputs, flags.baseAddress!) }
        count = outputs
      }.indices(where: { $0 != 0 }).ranges.joined())
    if laysOutRows(total), let first = rows.first, let last = rows.last, 2 * rows.count > last - first {
      workers.products.add((last - first + 1) * total * inputs)
      let shared = Shared((c: c, factor: factor))
      let product = rowProduct(part, rows: total, turned: true, depth: first..<last + 1)
      return product.multiply(s + first, lead: outputs, c, accumulates: false, on: workers) {
        rows, columns in
        guard let factor = shared.pointer.factor else { return }
        for item in rows {
          let c = shared.pointer.c + item * inputs + columns.lowerBound
          rk_multiply(c, c, factor + rowOfFactor(item) * inputs + columns.lowerBound, columns.count)
        }
      }
    }
    workers.products.add(rows.count * total * inputs)
    let grain = max((inputs / 16 + 63) / 64 * 64, 256)
    let shared = Shared((s: s, c: c, factor: factor))
    let isDense = total > Self.fewItems
    let tasks = (inputs + grain - 1) / grain
    workers.run(tasks, scratch: isDense ? Self.block * (grain + total) : 0) { task, scratch in
      let (s, c, factor) = shared.pointer
      let first = task * grain
      let count = min(grain, inputs - first)
      for item in 0..<total { (c + item * inputs + first).update(repeating: 0, count: count) }
      weight.withUnsafeElements { weight in
        let w = weight.baseAddress! + first
        if isDense {
          let coefficients = scratch + Self.block * grain
          for start in stride(from: 0, to: rows.count, by: Self.block) {
            let block = rows[start..<min(start + Self.block, rows.count)]
            for (i, row) in block.enumerated() {
              rk_part_copy(scratch + i * grain, w + row * inputs, count, part.kernel)
              for item in 0..<total { coefficients[item * Self.block + i] = s[item * outputs + row] }
            }
            // C ← S·part(W) + C for the block's rows and the task's columns.
            BLAS.gemm(
              m: total, n: count, k: block.count, a: coefficients, lda: Self.block, b: scratch, ldb: grain, beta: 1,
              c: c + first, ldc: inputs)
          }
        } else {
          rows.withUnsafeBufferPointer { rows in
            for start in stride(from: 0, to: rows.count, by: Self.block) {
              for item in 0..<total {
                rk_accumulate_rows(
                  c + item * inputs + first, w, inputs, rows.baseAddress! + start, min(Self.block, rows.count - start),
                  s + item * outputs, count, part.kernel)
              }
            }
          }
        }
      }
      guard let factor else { return }
      for item in 0..<total {
        let c = c + item * inputs + first
        rk_multiply(c, c, factor + rowOfFactor(item) * inputs + first, count)
      }
    }
  }

  private func forEachBlock(
    scratch: Int = 0, on workers: Workers, _ body: @Sendable (Range<Int>, Floats, MutableFloats) -> Void
  ) {
    workers.run((outputs + Self.block - 1) / Self.block, scratch: scratch) { task, scratch in
      let rows = task * Self.block..<min((task + 1) * Self.block, outputs)
      weight.withUnsafeElements { body(rows, $0.baseAddress! + rows.lowerBound * inputs, scratch) }
    }
  }
}
