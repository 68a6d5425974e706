import CRelevanceKernels
import RelevanceTensors

/// The output of a convolution, and the operations applied to it while it is in cache.
struct ConvolutionTarget {
  let output: MutableFloats
  var accumulates = false
  var epilogue = Epilogue.none
  var followers = Followers.none

  enum Epilogue {
    case none
    case bias(Tensor?, rectifies: Bool)
    /// Multiplication with an item of the batch; each item is used for `seeds` items of the result.
    case factor(Floats, seeds: Int)
  }
}

/// Convolution by im2col and matrix products, tile by tile: the reference for all other algorithms.
///
/// The columns of a tile are laid out in a thread's scratch memory and multiplied while they are in its cache. 1×1
/// convolutions multiply the input directly.
struct Im2colConvolution: Sendable {
  let geometry: ConvolutionGeometry

  /// One result: the sum of its terms.
  struct Product {
    /// The operands that are laid out, and the weights that multiply them: outputs × (inputs · taps).
    let terms: [(x: Floats, weights: Tensor)]
    let target: ConvolutionTarget
  }

  /// output ← Σ weights · im2col(x) for every product, item by item and group by group. Consecutive products with the
  /// same `x` share its columns.
  func multiply(_ products: [Product], items: Int, on workers: Workers) {
    let positions = geometry.outputPositions
    let tiles = ConvolutionGeometry.tileCount(positions: positions)
    let width = ((positions + tiles - 1) / tiles + 15) / 16 * 16
    // A map that is too small to be divided is divided by output channels.
    let slices = tiles == 1 && geometry.outputs >= 128 ? 2 : 1
    let rows = (geometry.outputs + slices - 1) / slices
    let depth = geometry.depth
    let shared = Shared(products)
    workers.run(items * geometry.groups * tiles * slices, scratch: geometry.isPointwise ? 0 : depth * width) {
      task, columns in
      let slice = task % slices
      let first = task / slices % tiles * width
      let last = min(first + width, positions)
      guard first < last else { return }
      let group = task / slices / tiles % geometry.groups
      let item = task / slices / tiles / geometry.groups
      let from = slice * rows
      let count = min(rows, geometry.outputs - from)
      let channel = group * geometry.outputs + from
      var laidOut: Floats?
      for product in shared.pointer {
        let target = product.target
        let plane = item * geometry.groups * geometry.outputs + channel
        let y = target.output + plane * positions + first
        for (index, term) in product.terms.enumerated() {
          let channels = term.x + (item * geometry.groups + group) * geometry.inputs * geometry.inputPositions
          if !geometry.isPointwise, laidOut != term.x {
            withUnsafePointer(to: geometry.window) {
              rk_im2col(channels, geometry.inputs, $0, first, last, columns, width)
            }
            laidOut = term.x
          }
          term.weights.withUnsafeElements { weights in
            // Y ← W·columns (+ Y): the slice's output channels × the tile's positions.
            BLAS.gemm(
              m: count, n: last - first, k: depth, a: weights.baseAddress! + channel * depth, lda: depth,
              b: geometry.isPointwise ? channels + first : UnsafePointer(columns),
              ldb: geometry.isPointwise ? positions : width, beta: target.accumulates || index > 0 ? 1 : 0, c: y,
              ldc: positions)
          }
        }
        switch target.epilogue {
        case .none: break
        case .bias(let bias, let rectifies):
          Self.finish(y, lead: positions, rows: channel..<channel + count, last - first, bias, rectifies: rectifies)
        case .factor(let factor, let seeds):
          let plane = item / seeds * geometry.groups * geometry.outputs + channel
          rk_multiply_rows(y, factor + plane * positions + first, positions, count, last - first)
        }
        target.followers.compute(
          OutputTile(start: plane * positions + first, rows: count, lead: positions, count: last - first))
      }
    }
  }

  /// Adds biases to some output channels, `count` positions of each, and rectifies them if requested.
  static func finish(
    _ y: MutableFloats, lead: Int, rows: Range<Int>, _ count: Int, _ bias: Tensor?, rectifies: Bool
  ) {
    guard let bias else { return rectifies ? rk_bias_relu(y, lead, rows.count, count, nil, 1) : () }
    bias.withUnsafeElements {
      rk_bias_relu(y, lead, rows.count, count, $0.baseAddress! + rows.lowerBound, rectifies ? 1 : 0)
    }
  }

  /// c ← Σ factor ⊙ Wᵀ·s, for strides above 1: columns ← Wᵀ·s, added at their input positions. Each task owns some rows
  /// of the input and computes all columns that reach them, so two tasks never write to the same element. Weights are
  /// outputs × (inputs · taps), or packed with these as rows.
  func scatter(
    _ terms: [(weights: Tensor, factor: Floats?)], arePacked: Bool, _ s: Floats, items: Int, seeds: Int,
    _ c: MutableFloats, on workers: Workers
  ) {
    let geometry = self.geometry
    let window = geometry.window
    let reach = Int((window.kernel_y - 1) * window.dilation_y)
    let (height, stride, pad) = (Int(window.height), Int(window.stride_y), Int(window.pad_y))
    let band = min(height, max(4 * reach, 16))
    let bands = (height + band - 1) / band
    let outRows = min((band - 1 + reach) / stride + 1, Int(window.out_height))
    let outWidth = Int(window.out_width)
    let positions = geometry.outputPositions
    let depth = geometry.depth
    let rowWidth = Int(window.width)
    let shared = Shared((s: s, c: c, terms: terms))
    let columnCount = depth * outRows * outWidth
    let bandCount = terms.count > 1 ? geometry.inputs * band * rowWidth : 0
    let packedCount = arePacked ? PackedProduct.columnFloats(outRows * outWidth, depth: geometry.outputs) : 0
    let weightsPerGroup = PackedProduct.rowFloats(depth, depth: geometry.outputs)
    workers.run(items * geometry.groups * bands, scratch: columnCount + bandCount + packedCount) { task, columns in
      let (s, c, terms) = shared.pointer
      let top = task % bands * band
      let bottom = min(top + band, height)
      let group = task / bands % geometry.groups
      let item = task / bands / geometry.groups
      // Window rows o with top ≤ o·stride − pad + tap < bottom for some tap in 0…reach.
      let firstRow = max((top + pad - reach + stride - 1).divided(by: stride), 0)
      let lastRow = min((bottom - 1 + pad).divided(by: stride) + 1, Int(window.out_height))
      let channels = (item * geometry.groups + group) * geometry.inputs
      let area = (bottom - top) * rowWidth
      let (first, last) = (firstRow * outWidth, lastRow * outWidth)
      let positionsOfS = s + (item * geometry.groups + group) * geometry.outputs * positions + first
      let packed = columns + columnCount + bandCount
      if arePacked, first < last {
        rk_pack_columns(
          positionsOfS, 1, positions, last - first, geometry.outputs, WeightPart.all.kernel, packed,
          geometry.outputs * PackedProduct.columnBlock)
      }
      for (index, term) in terms.enumerated() {
        // The first summand is written to the result; the others are computed in scratch memory and added.
        let plane = index == 0 ? geometry.inputPositions : area
        let x = index == 0 ? c + channels * plane + top * rowWidth : columns + columnCount
        for channel in 0..<geometry.inputs { (x + channel * plane).update(repeating: 0, count: area) }
        if first < last {
          // columns ← Wᵀ·S: (inputs · taps) × the positions that reach the band.
          term.weights.withUnsafeElements { weights in
            if arePacked {
              rk_product(
                depth, last - first, geometry.outputs, weights.baseAddress! + group * weightsPerGroup,
                geometry.outputs * PackedProduct.rowBlock, packed, geometry.outputs * PackedProduct.columnBlock,
                columns,
                last - first, 0, nil, nil)
            } else {
              BLAS.gemm(
                transposeA: true, m: depth, n: last - first, k: geometry.outputs,
                a: weights.baseAddress! + group * geometry.outputs * depth, lda: depth, b: positionsOfS, ldb: positions,
                c: columns, ldc: last - first)
            }
          }
          withUnsafePointer(to: window) {
            rk_col2im_rows(columns, last - first, geometry.inputs, $0, first, last, top, bottom, x, plane)
          }
        }
        if let factor = term.factor {
          let channels = (item / seeds * geometry.groups + group) * geometry.inputs
          for channel in 0..<geometry.inputs {
            let x = x + channel * plane
            rk_multiply(x, x, factor + (channels + channel) * geometry.inputPositions + top * rowWidth, area)
          }
        }
        if index > 0 {
          for channel in 0..<geometry.inputs {
            let sum = c + (channels + channel) * geometry.inputPositions + top * rowWidth
            rk_add(sum, sum, x + channel * plane, area)
          }
        }
      }
    }
  }
}

extension Int {
  /// The quotient rounded toward −∞.
  fileprivate func divided(by divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }
}
