import CKernels
import Networks
import Tensors

/// Convolution as im2col and matrix products, tile by tile.
///
/// A tile's columns are laid out in a thread's own scratch memory and multiplied while they are in its cache; 1×1
/// convolutions multiply the input as it lies.
struct ConvolutionKernel: WeightedKernel {
  let inputShape: Shape
  let outputShape: Shape
  private let geometry: ConvolutionGeometry
  private let weight: Tensor
  private let bias: Tensor?
  private let derived: DerivedWeights<Form>

  /// A layout of the weights.
  enum Form: Hashable, Sendable {
    /// outputs × (inputs · taps), as the model has them.
    case forward(WeightPart)
    /// inputs × (outputs · taps), kernels turned by 180°: the weights of the adjoint.
    case turned(WeightPart)
  }

  init(_ convolution: Convolution, input: Shape, output: Shape, derived: DerivedWeights<Form>) throws {
    inputShape = input
    outputShape = output
    weight = convolution.weight
    bias = convolution.bias
    self.derived = derived
    geometry = ConvolutionGeometry(
      groups: convolution.groups, inputs: input[1] / convolution.groups, outputs: output[1] / convolution.groups,
      window: try rk_window(convolution.window, over: input))
  }

  func forward(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rectifies: Bool,
    companion: UnsafeMutablePointer<Float>?, on workers: Workers
  ) {
    var products = [Product(weights: weights(.forward(.all)), output: y, epilogue: .bias(bias, rectifies: rectifies))]
    if let companion { products.append(Product(weights: weights(.forward(.positive)), output: companion)) }
    Self.multiply(x, items: inputShape[0], geometry, products, on: workers)
  }

  func product(
    _ part: WeightPart, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, accumulates: Bool,
    on workers: Workers
  ) {
    let product = Product(weights: weights(.forward(part)), output: y, accumulates: accumulates)
    Self.multiply(x, items: inputShape[0], geometry, [product], on: workers)
  }

  func adjoint(
    _ part: WeightPart, _ s: UnsafePointer<Float>, seeds: Int, _ c: UnsafeMutablePointer<Float>,
    factor: UnsafePointer<Float>?, on workers: Workers
  ) {
    let items = inputShape[0] * seeds
    guard geometry.hasUnitStride else {
      return scatter(part, s, items: items, seeds: seeds, c, factor: factor, on: workers)
    }
    let product = Product(
      weights: weights(.turned(part)), output: c, epilogue: factor.map { .factor($0, seeds: seeds) } ?? .none)
    Self.multiply(s, items: items, geometry.transposed(), [product], on: workers)
  }

  // MARK: Gathering

  /// One matrix product with a tile of columns, and what is done to the result while it is in cache.
  private struct Product {
    let weights: Tensor
    let output: UnsafeMutablePointer<Float>
    var accumulates = false
    var epilogue = Epilogue.none
  }

  private enum Epilogue {
    case none
    case bias(Tensor?, rectifies: Bool)
    /// Multiply with an item of the batch; each is used for `seeds` items of the result.
    case factor(UnsafePointer<Float>, seeds: Int)
  }

  /// output ← weights · im2col(x) for every product, item by item and group by group.
  private static func multiply(
    _ x: UnsafePointer<Float>, items: Int, _ geometry: ConvolutionGeometry, _ products: [Product],
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
      for product in products {
        let plane = item * geometry.groups * geometry.outputs + channel
        let y = product.output + plane * positions + first
        product.weights.withUnsafeElements { weights in
          // Y ← W·columns (+ Y): the slice's output channels × the tile's positions.
          BLAS.gemm(
            m: count, n: last - first, k: depth, a: weights.baseAddress! + channel * depth, lda: depth, b: matrix,
            ldb: stride, beta: product.accumulates ? 1 : 0, c: y, ldc: positions)
        }
        switch product.epilogue {
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

  // MARK: Scattering

  /// c ← part(W)ᵀ·s for strides above 1: columns ← Wᵀ·s, added up where they land. Each task owns some rows of the input and
  /// computes all columns that reach them, so no two tasks write to one place.
  private func scatter(
    _ part: WeightPart, _ s: UnsafePointer<Float>, items: Int, seeds: Int, _ c: UnsafeMutablePointer<Float>,
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
    let weights = weights(.forward(part))
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

  // MARK: Weights

  private func weights(_ form: Form) -> Tensor {
    if form == .forward(.all) { return weight }
    return derived.form(form) {
      switch form {
      case .forward(let part): weight.part(part)
      case .turned(let part): turned(weight.part(part))
      }
    }
  }

  /// outputs × inputs × taps of each group → inputs × outputs × taps, taps in reverse order.
  private func turned(_ weight: Tensor) -> Tensor {
    let (groups, inputs, outputs, taps) = (geometry.groups, geometry.inputs, geometry.outputs, geometry.taps)
    return Tensor(uninitialized: weight.shape) { result in
      weight.withUnsafeElements { source in
        var to = 0
        for group in 0..<groups {
          for input in 0..<inputs {
            for output in 0..<outputs {
              let from = ((group * outputs + output) * inputs + input) * taps
              for tap in 0..<taps { result[to + tap] = source[from + taps - 1 - tap] }
              to += taps
            }
          }
        }
      }
    }
  }
}

extension Tensor {
  /// W, W⁺ or W⁻.
  func part(_ part: WeightPart) -> Tensor {
    guard part != .all else { return self }
    return Tensor(uninitialized: shape) { result in
      withUnsafeElements { rk_part_copy(result.baseAddress!, $0.baseAddress!, $0.count, part.kernel) }
    }
  }
}

extension Int {
  /// The quotient rounded towards −∞.
  fileprivate func divided(by divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }
}
