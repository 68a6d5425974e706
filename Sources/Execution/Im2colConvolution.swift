import CKernels
import Tensors

/// Where the output of a convolution goes, and what is done to it while it is in cache.
struct ConvolutionTarget {
  let output: UnsafeMutablePointer<Float>
  var accumulates = false
  var epilogue = Epilogue.none

  enum Epilogue {
    case none
    case bias(Tensor?, rectifies: Bool)
    /// Multiply with an item of the batch; each is used for `seeds` items of the result.
    case factor(UnsafePointer<Float>, seeds: Int)
  }
}

/// Convolution as im2col and matrix products, tile by tile: the reference for every other way.
///
/// A tile's columns are laid out in a thread's own scratch memory and multiplied while they are in its cache; 1×1
/// convolutions multiply the input as it lies.
struct Im2colConvolution: Sendable {
  let geometry: ConvolutionGeometry

  /// output ← weights · im2col(x) for every product, item by item and group by group; weights are outputs × (inputs · taps).
  func multiply(
    _ x: UnsafePointer<Float>, items: Int, _ products: [(weights: Tensor, target: ConvolutionTarget)],
    on workers: Workers
  ) {
    let positions = geometry.outputPositions
    let tiles = ConvolutionGeometry.tileCount(positions: positions)
    let width = ((positions + tiles - 1) / tiles + 15) / 16 * 16
    // A map too small to be cut is shared out by output channels.
    let slices = tiles == 1 && geometry.outputs >= 128 ? 2 : 1
    let rows = (geometry.outputs + slices - 1) / slices
    let depth = geometry.depth
    let shared = Shared((x: x, products: products))
    workers.run(items * geometry.groups * tiles * slices, scratch: geometry.isPointwise ? 0 : depth * width) {
      task, columns in
      let (x, products) = shared.pointer
      let slice = task % slices
      let first = task / slices % tiles * width
      let last = min(first + width, positions)
      guard first < last else { return }
      let group = task / slices / tiles % geometry.groups
      let item = task / slices / tiles / geometry.groups
      let channels = x + (item * geometry.groups + group) * geometry.inputs * geometry.inputPositions
      let matrix: UnsafePointer<Float>
      let stride: Int
      if geometry.isPointwise {
        (matrix, stride) = (channels + first, positions)
      } else {
        withUnsafePointer(to: geometry.window) { rk_im2col(channels, geometry.inputs, $0, first, last, columns, width) }
        (matrix, stride) = (UnsafePointer(columns), width)
      }
      let from = slice * rows
      let count = min(rows, geometry.outputs - from)
      let channel = group * geometry.outputs + from
      for (weights, target) in products {
        let plane = item * geometry.groups * geometry.outputs + channel
        let y = target.output + plane * positions + first
        weights.withUnsafeElements { weights in
          // Y ← W·columns (+ Y): the slice's output channels × the tile's positions.
          BLAS.gemm(
            m: count, n: last - first, k: depth, a: weights.baseAddress! + channel * depth, lda: depth, b: matrix,
            ldb: stride, beta: target.accumulates ? 1 : 0, c: y, ldc: positions)
        }
        switch target.epilogue {
        case .none: break
        case .bias(let bias, let rectifies):
          if let bias {
            bias.withUnsafeElements {
              rk_bias_relu(y, positions, count, last - first, $0.baseAddress! + channel, rectifies ? 1 : 0)
            }
          } else if rectifies {
            rk_bias_relu(y, positions, count, last - first, nil, 1)
          }
        case .factor(let factor, let seeds):
          let plane = item / seeds * geometry.groups * geometry.outputs + channel
          rk_multiply_rows(y, factor + plane * positions + first, positions, count, last - first)
        }
      }
    }
  }

  /// c ← Wᵀ·s, times `factor` if given, for strides above 1: columns ← Wᵀ·s, added up where they land. Each task owns some rows of the input and
  /// computes all columns that reach them, so no two tasks write to one place.
  func scatter(
    _ weights: Tensor, _ s: UnsafePointer<Float>, items: Int, seeds: Int, _ c: UnsafeMutablePointer<Float>,
    factor: UnsafePointer<Float>?, on workers: Workers
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
    let shared = Shared((s: s, c: c, factor: factor))
    workers.run(items * geometry.groups * bands, scratch: depth * outRows * outWidth) { task, columns in
      let (s, c, factor) = shared.pointer
      let top = task % bands * band
      let bottom = min(top + band, height)
      let group = task / bands % geometry.groups
      let item = task / bands / geometry.groups
      // Window rows o with top ≤ o·stride − pad + tap < bottom for some tap in 0…reach.
      let firstRow = max((top + pad - reach + stride - 1).divided(by: stride), 0)
      let lastRow = min((bottom - 1 + pad).divided(by: stride) + 1, Int(window.out_height))
      let channels = (item * geometry.groups + group) * geometry.inputs
      let x = c + channels * geometry.inputPositions
      let rowWidth = Int(window.width)
      for channel in 0..<geometry.inputs {
        (x + channel * geometry.inputPositions + top * rowWidth).update(repeating: 0, count: (bottom - top) * rowWidth)
      }
      if firstRow < lastRow {
        let (first, last) = (firstRow * outWidth, lastRow * outWidth)
        weights.withUnsafeElements { weights in
          // columns ← Wᵀ·S: (inputs · taps) × the positions that reach the band.
          BLAS.gemm(
            transposeA: true, m: depth, n: last - first, k: geometry.outputs,
            a: weights.baseAddress! + group * geometry.outputs * depth, lda: depth,
            b: s + (item * geometry.groups + group) * geometry.outputs * positions + first, ldb: positions,
            c: columns, ldc: last - first)
        }
        withUnsafePointer(to: window) {
          rk_col2im_rows(columns, last - first, geometry.inputs, $0, first, last, top, bottom, x)
        }
      }
      if let factor {
        let channels = (item / seeds * geometry.groups + group) * geometry.inputs
        rk_multiply_rows(
          x + top * rowWidth, factor + channels * geometry.inputPositions + top * rowWidth, geometry.inputPositions,
          geometry.inputs, (bottom - top) * rowWidth)
      }
    }
  }
}

extension Int {
  /// The quotient rounded towards −∞.
  fileprivate func divided(by divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }
}
