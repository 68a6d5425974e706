import CKernels
import Tensors

/// Convolution as products with weights that were laid out once, and with windows that are laid out tile by tile as the product reads them.
///
/// What a tile's columns and the depth's pieces are depends on nothing but the shapes, and each sum runs along the depth in order, so
/// results are the same to the bit however tiles and rows are shared out.
struct PackedConvolution: Sendable {
  let geometry: ConvolutionGeometry

  /// One result: the sum of its terms.
  struct Product {
    /// What is laid out, and the packed weights that it is multiplied by.
    let terms: [(x: Floats, weights: Tensor)]
    let target: ConvolutionTarget
  }

  /// output ← Σ weights · windows(x) for every product, item by item and group by group. Products that follow one another with the same
  /// `x` share its windows.
  func multiply(_ products: [Product], items: Int, on workers: Workers) {
    let geometry = self.geometry
    let (positions, depth, rows) = (geometry.outputPositions, geometry.depth, geometry.outputs)
    let cut = TileCut(
      columns: positions, rows: rows, depth: depth, copies: items * geometry.groups * products.count, on: workers)
    var steps = Step.steps(of: products)
    // What several taps take at a distance from each other is put side by side first, so that each only copies.
    let window = geometry.window
    let isSplit = window.kernel_x > window.stride_x && window.stride_x > 1
    let lead = isSplit ? Int(window.width).roundedUp(to: Int(window.stride_x)) : Int(window.width)
    var split: [TensorStorage] = []
    if isSplit {
      for index in steps.indices {
        split.append(
          splitColumns(
            steps[index].x, rows: items * geometry.groups * geometry.inputs * Int(window.height), lead: lead,
            on: workers))
        steps[index].x = UnsafePointer(split[index].base)
      }
    }
    defer { withExtendedLifetime(split) {} }
    let shared = Shared(steps)
    let plane = Int(window.height) * lead
    let weightsPerGroup = PackedProduct.rowFloats(rows, depth: depth)
    workers.run(items * geometry.groups * cut.tiles * cut.slices, scratch: cut.scratch) { task, columns in
      let slice = cut.rows(ofSlice: task % cut.slices)
      let tile = cut.columns(ofTile: task / cut.slices % cut.tiles)
      guard !slice.isEmpty, !tile.isEmpty else { return }
      let group = task / cut.slices / cut.tiles % geometry.groups
      let item = task / cut.slices / cut.tiles / geometry.groups
      let channel = group * rows + slice.lowerBound
      let row = columns + cut.laidOut
      for step in shared.pointer {
        let channels = step.x + (item * geometry.groups + group) * geometry.inputs * plane
        for piece in cut.pieces {
          layOut(channels, isSplit: isSplit, tile, piece, row: row, to: columns)
          for part in step.parts {
            let target = part.target
            let place = (item * geometry.groups * rows + channel) * positions + tile.lowerBound
            var end = rk_product_end()
            let isLast = part.isLast && piece.upperBound == depth
            if isLast { target.finish(&end, item: item, channels: geometry.groups * rows, channel, positions, tile) }
            part.weights.withUnsafeElements { weights in
              rk_product(
                slice.count, tile.count, piece.count,
                weights.baseAddress! + group * weightsPerGroup + slice.lowerBound * depth
                  + piece.lowerBound * PackedProduct.rowBlock,
                depth * PackedProduct.rowBlock, columns, piece.count * PackedProduct.columnBlock, target.output + place,
                positions,
                target.accumulates || !part.isFirst || piece.lowerBound > 0 ? 1 : 0, &end)
            }
          }
        }
      }
    }
  }

  /// Some of the depth of a tile's windows.
  private func layOut(
    _ x: Floats, isSplit: Bool, _ tile: Range<Int>, _ piece: Range<Int>, row: MutableFloats, to columns: MutableFloats
  ) {
    if geometry.isPointwise {
      let positions = geometry.inputPositions
      rk_pack_columns(
        x + piece.lowerBound * positions + tile.lowerBound, 1, positions, tile.count, piece.count,
        WeightPart.all.kernel,
        columns)
    } else {
      withUnsafePointer(to: geometry.window) {
        rk_pack_windows(
          x, $0, isSplit ? 1 : 0, tile.lowerBound, tile.upperBound, piece.lowerBound, piece.upperBound, row, columns)
      }
    }
  }

  /// Rows of the input with the columns that a tap sees side by side.
  private func splitColumns(_ x: Floats, rows: Int, lead: Int, on workers: Workers) -> TensorStorage {
    let (width, stride) = (Int(geometry.window.width), Int(geometry.window.stride_x))
    let result = workers.pool.storage(count: rows * lead)
    let shared = Shared((x: x, to: result.base))
    workers.runSplit(rows, grain: max((1 << 14) / width, 1)) { rows in
      let (x, to) = shared.pointer
      rk_split_columns(x + rows.lowerBound * width, rows.count, width, stride, to + rows.lowerBound * lead)
    }
    return result
  }

  /// What is laid out once, and the products that it takes part in.
  private struct Step {
    var x: Floats
    var parts: [Part]

    struct Part {
      let weights: Tensor
      let target: ConvolutionTarget
      let isFirst: Bool
      let isLast: Bool
    }

    static func steps(of products: [Product]) -> [Step] {
      var steps: [Step] = []
      for product in products {
        for (index, term) in product.terms.enumerated() {
          let part = Part(
            weights: term.weights, target: product.target, isFirst: index == 0,
            isLast: index == product.terms.count - 1)
          if steps.last?.x == term.x {
            steps[steps.count - 1].parts.append(part)
          } else {
            steps.append(Step(x: term.x, parts: [part]))
          }
        }
      }
      return steps
    }
  }
}

extension ConvolutionTarget {
  /// What is done at the end to a tile of channels from `channel` on.
  fileprivate func finish(
    _ end: inout rk_product_end, item: Int, channels: Int, _ channel: Int, _ positions: Int, _ tile: Range<Int>
  ) {
    switch epilogue {
    case .none: break
    case .bias(let bias, let rectifies):
      // The tensor lives as long as the layer.
      bias?.withUnsafeElements { end.bias = $0.baseAddress! + channel }
      end.rectifies = rectifies ? 1 : 0
    case .factor(let factor, let seeds):
      end.factor = factor + (item / seeds * channels + channel) * positions + tile.lowerBound
      end.factor_lead = positions
    }
  }
}
