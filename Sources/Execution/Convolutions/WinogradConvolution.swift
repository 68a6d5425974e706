import CRelevanceKernels
import RelevanceTensors

/// 3×3 convolution with unit strides by Winograd's F(4×4, 3×3): a quarter of the multiplications of im2col, as 36
/// matrix products over channels.
///
/// Large maps are divided into strips of tiles. Each strip is transformed, multiplied and transformed back in one
/// thread's cache, with weights that were transformed once. Small maps are transformed completely and divided by output
/// channels. There the weights are larger than the data, so each task transforms its own weights, in blocks that fit
/// its cache, and stores none.
struct WinogradConvolution: Sendable {
  let geometry: ConvolutionGeometry

  /// The weights of a product as in the model: outputs × inputs × 9 for each group.
  struct Kernels {
    let weight: Tensor
    let part: WeightPart
    /// Whether outputs and inputs are exchanged and kernels rotated, for the adjoint.
    let turned: Bool
    /// The transformed kernels, computed at the first call.
    let cached: () -> Tensor
  }

  private static let stripTiles = 96
  /// Maps with more tiles than this are divided into strips.
  private static let wholeTiles = 256
  /// The number of tiles of several items that share a product: with more, they would not fit the cache.
  private static let sharedTiles = 112
  /// Transforms are not faster for fewer tiles than this.
  private static let fewestTiles = 12
  /// The largest number of output channels that a strip is multiplied with at a time.
  private static let channelBlock = 72
  /// The output and input channels whose kernels a task transforms at a time: 36 × 24 × 128 floats stay in the
  /// second-level cache.
  private static let kernelBlock = (outputs: 24, inputs: 128)
  /// The transforms write full vectors.
  private static let lanes = 16
  /// Floats between the planes of the 36 points, so that they do not map to the same cache lines.
  private static let gap = 48

  /// Whether Winograd's algorithm is faster for a geometry.
  static func suits(_ geometry: ConvolutionGeometry) -> Bool {
    let w = geometry.window
    let tiles = Int((w.out_height + 3) / 4 * ((w.out_width + 3) / 4))
    return w.kernel_y == 3 && w.kernel_x == 3 && geometry.hasUnitStride && w.dilation_y == 1 && w.dilation_x == 1
      && geometry.inputs >= 16 && geometry.outputs >= 16 && tiles >= fewestTiles
  }

  private var tileRows: Int { Int(geometry.window.out_height + 3) / 4 }
  private var tileColumns: Int { Int(geometry.window.out_width + 3) / 4 }
  private var tiles: Int { tileRows * tileColumns }
  private var transformScratch: Int { (Self.scratch(for: geometry.window) + 15) / 16 * 16 }

  /// output ← weights ∗ x for every product, item by item and group by group.
  func multiply(
    _ x: Floats, items: Int, _ products: [(kernels: Kernels, target: ConvolutionTarget)], on workers: Workers
  ) {
    if tiles > Self.wholeTiles {
      multiplyStrips(x, items: items, products, on: workers)
    } else {
      multiplyWhole(x, items: items, products, on: workers)
    }
  }

  // MARK: Large maps

  private func multiplyStrips(
    _ x: Floats, items: Int, _ products: [(kernels: Kernels, target: ConvolutionTarget)], on workers: Workers
  ) {
    let (inputs, outputs) = (geometry.inputs, geometry.outputs)
    // An even number, so that two threads finish together.
    let strips = max(min((tiles + Self.stripTiles - 1) / Self.stripTiles + 1, tileRows) / 2 * 2, 1)
    let rows = (tileRows + strips - 1) / strips
    let width = (rows * tileColumns).roundedUp(to: Self.lanes)
    let blocks = RowBlocks(outputs, atMost: Self.channelBlock)
    let block = blocks.largest
    let transformed = products.map { (matrices: $0.kernels.cached(), target: $0.target) }
    let shared = Shared((x: x, products: transformed))
    let (own, vPlane, mPlane) = (width + Self.lanes, inputs * width + Self.gap, block * width + Self.gap)
    workers.run(
      items * geometry.groups * strips, scratch: 36 * (own + vPlane + mPlane) + transformScratch
    ) { task, scratch in
      let (x, products) = shared.pointer
      let first = task % strips * rows
      let last = min(first + rows, tileRows)
      guard first < last else { return }
      let group = task / strips % geometry.groups
      let item = task / strips / geometry.groups
      let tiles = (last - first) * tileColumns
      let v = scratch + 36 * own
      let m = v + 36 * vPlane
      let transform = m + 36 * mPlane
      withUnsafePointer(to: geometry.window) { window in
        let channels = x + (item * geometry.groups + group) * inputs * geometry.inputPositions
        for channel in 0..<inputs {
          rk_winograd_input(channels + channel * geometry.inputPositions, window, first, last, scratch, own, transform)
          rk_winograd_pack(scratch, own, tiles, v + channel * Self.lanes, vPlane, inputs * Self.lanes)
        }
        for (matrices, target) in products {
          matrices.withUnsafeElements { u in
            let u = u.baseAddress! + group * 36 * pointFloats
            for rows in 0..<blocks.count {
              let (from, count) = (blocks[rows].lowerBound, blocks[rows].count)
              for point in 0..<36 {
                // M ← U·V at one of the 36 points: the block's output channels × the strip's tiles.
                rk_product(
                  count, tiles, inputs, u + point * pointFloats + from * inputs, PackedProduct.rowBlock * inputs,
                  v + point * vPlane, inputs * Self.lanes, m + point * mPlane, width, 0, nil, nil)
              }
              for row in 0..<count {
                write(
                  m + row * width, plane: mPlane, channel: group * outputs + from + row, item: item,
                  rows: first..<last, target, window, transform)
              }
            }
          }
        }
      }
    }
  }

  /// The number of floats of a group's transformed kernels at one of the 36 points.
  private var pointFloats: Int { PackedProduct.rowFloats(geometry.outputs, depth: geometry.inputs) }

  /// All transformed kernels of a product, packed: groups × 36 × outputs × inputs.
  func transformed(_ weight: Tensor, part: WeightPart, turned: Bool, on workers: Workers) -> Tensor {
    let (inputs, outputs, groups) = (geometry.inputs, geometry.outputs, geometry.groups)
    let blocks = (outputs + PackedProduct.rowBlock - 1) / PackedProduct.rowBlock
    return Tensor(uninitialized: [groups * 36 * pointFloats + PackedProduct.slack]) { result in
      result.suffix(PackedProduct.slack).update(repeating: 0)
      weight.withUnsafeElements { weight in
        let shared = Shared((weight: weight.baseAddress!, u: result.baseAddress!))
        workers.run(groups * blocks) { task in
          let (group, from) = (task / blocks, task % blocks * PackedProduct.rowBlock)
          let rows = from..<min(from + PackedProduct.rowBlock, outputs)
          transform(
            shared.pointer.weight, part: part, turned: turned, group: group, outputs: rows, inputs: 0..<inputs,
            to: shared.pointer.u + group * 36 * pointFloats + from * inputs, plane: pointFloats)
        }
      }
    }
  }

  /// The kernels from some inputs of a group to some of its outputs, packed: 36 × outputs × inputs.
  private func transform(
    _ weight: Floats, part: WeightPart, turned: Bool, group: Int, outputs: Range<Int>, inputs: Range<Int>,
    to u: MutableFloats, plane: Int
  ) {
    let kernels = weight + group * geometry.outputs * geometry.inputs * 9
    // For the adjoint, the model's weights have this geometry's inputs as rows.
    let (step, depthStep) = turned ? (9, geometry.outputs * 9) : (geometry.inputs * 9, 9)
    rk_winograd_kernels(
      kernels + outputs.lowerBound * step + inputs.lowerBound * depthStep, step, depthStep, outputs.count, inputs.count,
      part.kernel, turned ? 1 : 0, u, plane)
  }

  // MARK: Small maps

  private func multiplyWhole(
    _ x: Floats, items: Int, _ products: [(kernels: Kernels, target: ConvolutionTarget)], on workers: Workers
  ) {
    let (inputs, outputs, groups) = (geometry.inputs, geometry.outputs, geometry.groups)
    let together = max(1, min(items, Self.sharedTiles / tiles))
    let width = (together * tiles).roundedUp(to: Self.lanes)
    let rowBlocks = RowBlocks(outputs, atMost: Self.kernelBlock.outputs)
    let (block, blocks) = (rowBlocks.largest, rowBlocks.count)
    let depth = min(inputs, Self.kernelBlock.inputs)
    let own = width + Self.lanes
    let (uPlane, vPlane, mPlane) = (
      PackedProduct.rowFloats(block, depth: depth) + Self.gap, inputs * width + Self.gap, block * width + Self.gap
    )
    let data = workers.pool.storage(count: groups * 36 * vPlane)
    for start in stride(from: 0, to: items, by: together) {
      let count = min(together, items - start)
      let shared = Shared((x: x, v: data.base, products: products))
      workers.run(groups * inputs, scratch: transformScratch + 36 * own) { task, scratch in
        let (group, channel) = (task / inputs, task % inputs)
        withUnsafePointer(to: geometry.window) { window in
          for item in 0..<count {
            let plane = ((start + item) * groups + group) * inputs + channel
            rk_winograd_input(
              shared.pointer.x + plane * geometry.inputPositions, window, 0, tileRows, scratch + item * tiles, own,
              scratch + 36 * own)
          }
        }
        rk_winograd_pack(
          scratch, own, count * tiles, shared.pointer.v + group * 36 * vPlane + channel * Self.lanes, vPlane,
          inputs * Self.lanes)
      }
      workers.run(
        groups * blocks * products.count, scratch: 36 * (uPlane + mPlane) + transformScratch
      ) { task, scratch in
        let (kernels, target) = shared.pointer.products[task / (groups * blocks)]
        let group = task / blocks % groups
        let (from, rows) = (rowBlocks[task % blocks].lowerBound, rowBlocks[task % blocks].count)
        let u = scratch
        let m = u + 36 * uPlane
        let back = m + 36 * mPlane
        let v = shared.pointer.v + group * 36 * vPlane
        for first in stride(from: 0, to: inputs, by: depth) {
          let columns = min(depth, inputs - first)
          kernels.weight.withUnsafeElements {
            transform(
              $0.baseAddress!, part: kernels.part, turned: kernels.turned, group: group, outputs: from..<from + rows,
              inputs: first..<first + columns, to: u, plane: uPlane)
          }
          for point in 0..<36 {
            // M ← U·V (+ M) at one of the 36 points: the block's output channels × the tiles of all items.
            rk_product(
              rows, count * tiles, columns, u + point * uPlane, PackedProduct.rowBlock * columns,
              v + point * vPlane + first * Self.lanes, inputs * Self.lanes, m + point * mPlane, width,
              first == 0 ? 0 : 1,
              nil, nil)
          }
        }
        withUnsafePointer(to: geometry.window) { window in
          for row in 0..<rows {
            for item in 0..<count {
              write(
                m + row * width + item * tiles, plane: mPlane, channel: group * outputs + from + row,
                item: start + item, rows: 0..<tileRows, target, window, back)
            }
          }
        }
      }
    }
    withExtendedLifetime(data) {}
  }

  /// The number of floats of scratch memory that a transform needs.
  private static func scratch(for window: rk_window) -> Int {
    withUnsafePointer(to: window) { rk_winograd_scratch($0) }
  }

  /// Transforms the products of one output channel back and writes them to the output.
  private func write(
    _ m: Floats, plane: Int, channel: Int, item: Int, rows: Range<Int>, _ target: ConvolutionTarget,
    _ window: UnsafePointer<rk_window>, _ scratch: MutableFloats
  ) {
    let channels = geometry.groups * geometry.outputs
    let positions = geometry.outputPositions
    let start = (item * channels + channel) * positions
    let y = target.output + start
    var (bias, relu): (Float, Int32) = (0, 0)
    var factor: Floats?
    switch target.epilogue {
    case .none: break
    case .bias(let tensor, let rectifies):
      bias = tensor?.withUnsafeElements { $0[channel] } ?? 0
      relu = rectifies ? 1 : 0
    case .factor(let base, let seeds): factor = base + (item / seeds * channels + channel) * positions
    }
    rk_winograd_output(
      m, plane, window, rows.lowerBound, rows.upperBound, bias, relu, factor, target.accumulates ? 1 : 0, y, scratch)
    let (height, width) = (Int(geometry.window.out_height), Int(geometry.window.out_width))
    let from = rows.lowerBound * 4 * width
    let count = min(rows.upperBound * 4, height) * width - from
    target.followers.compute(OutputTile(start: start + from, rows: 1, lead: count, count: count))
  }
}
