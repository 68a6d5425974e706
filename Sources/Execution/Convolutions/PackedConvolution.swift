import CRelevanceKernels
import RelevanceTensors

/// Convolution as products with weights that are packed once, and with windows that are packed tile by tile as the
/// product reads them.
///
/// The columns of a tile and the pieces of the depth depend on the shapes only, and each sum runs along the depth in
/// order. Results are therefore identical to the bit for any division into tiles and rows.
struct PackedConvolution: Sendable {
  let geometry: ConvolutionGeometry

  /// One result: the sum of its terms.
  struct Product {
    /// The operands that are laid out, and the packed weights that multiply them.
    let terms: [(x: Floats, weights: Tensor)]
    let target: ConvolutionTarget
  }

  /// output ← Σ weights · windows(x) for every product, item by item and group by group. Consecutive products with the
  /// same `x` share its windows.
  func multiply(_ products: [Product], items: Int, on workers: Workers) {
    let geometry = self.geometry
    let (positions, depth, rows) = (geometry.outputPositions, geometry.depth, geometry.outputs)
    let copies = items * geometry.groups
    let cut = TileCut(columns: positions, rows: rows, depth: depth, copies: copies * products.count, on: workers)
    let steps = Step.steps(of: products)
    let rowScratch = rowScratch(cut.width)
    guard cut.slices > 1 else {
      let shared = Shared(steps)
      workers.run(copies * cut.tiles, scratch: cut.laidOut + rowScratch) { task, columns in
        let (copy, tile) = (task / cut.tiles, cut.columns(ofTile: task % cut.tiles))
        for step in shared.pointer {
          for piece in cut.pieces {
            let block = piece.count * PackedProduct.columnBlock
            layOut(step.x, copy, tile, piece, row: columns + cut.laidOut, to: columns, block: block)
            for part in step.parts {
              multiply(part, copy, 0..<rows, tile, piece, columns, block: block)
            }
          }
        }
      }
      return
    }
    // Small maps are divided by rows of weights, and their windows are laid out once for all rows.
    let block = depth * PackedProduct.columnBlock
    let perTile = PackedProduct.columnFloats(cut.width, depth: depth)
    let laidOut = workers.pool.storage(count: copies * cut.tiles * perTile)
    let channels = max((geometry.inputs + 4 * workers.count - 1) / (4 * workers.count), 1)
    let runs = (geometry.inputs + channels - 1) / channels
    for step in steps {
      let shared = Shared((step: step, to: laidOut.base))
      workers.run(copies * cut.tiles * runs, scratch: rowScratch) { task, row in
        let (copy, tile) = (task / runs / cut.tiles, task / runs % cut.tiles)
        let first = task % runs * channels * geometry.taps
        let own = first..<min(first + channels * geometry.taps, depth)
        layOut(
          shared.pointer.step.x, copy, cut.columns(ofTile: tile), own, row: row,
          to: shared.pointer.to + (copy * cut.tiles + tile) * perTile + own.lowerBound * PackedProduct.columnBlock,
          block: block)
      }
      let parts = step.parts.count
      // The parts of one result must be computed in order.
      let apart = Set(step.parts.map(\.target.output)).count == parts ? parts : 1
      workers.run(copies * cut.tiles * cut.slices * apart) { task in
        let (copy, tile) = (task / apart / cut.slices / cut.tiles, task / apart / cut.slices % cut.tiles)
        let slice = cut.rows(ofSlice: task / apart % cut.slices)
        let columns = UnsafePointer(shared.pointer.to + (copy * cut.tiles + tile) * perTile)
        for piece in cut.pieces {
          for part in apart == 1
            ? shared.pointer.step.parts[...] : shared.pointer.step.parts[(task % apart)...(task % apart)]
          {
            multiply(
              part, copy, slice, cut.columns(ofTile: tile), piece,
              columns + piece.lowerBound * PackedProduct.columnBlock, block: block)
          }
        }
      }
    }
  }

  /// Some rows and columns of a product for a part of the depth; the columns are already laid out.
  private func multiply(
    _ part: Step.Part, _ copy: Int, _ rows: Range<Int>, _ tile: Range<Int>, _ piece: Range<Int>, _ columns: Floats,
    block: Int
  ) {
    let (positions, depth) = (geometry.outputPositions, geometry.depth)
    let (item, group) = (copy / geometry.groups, copy % geometry.groups)
    let channel = group * geometry.outputs + rows.lowerBound
    let target = part.target
    let place = (item * geometry.groups * geometry.outputs + channel) * positions + tile.lowerBound
    var end = rk_product_end()
    let isLast = part.isLast && piece.upperBound == depth
    if isLast {
      target.finish(&end, item: item, channels: geometry.groups * geometry.outputs, channel, positions, tile)
    }
    part.weights.withUnsafeElements { weights in
      let group = weights.baseAddress! + group * PackedProduct.rowFloats(geometry.outputs, depth: depth)
      rk_product(
        rows.count, tile.count, piece.count,
        group + rows.lowerBound * depth + piece.lowerBound * PackedProduct.rowBlock, depth * PackedProduct.rowBlock,
        columns, block, target.output + place, positions,
        target.accumulates || !part.isFirst || piece.lowerBound > 0 ? 1 : 0, &end, nil)
    }
    if isLast {
      target.followers.compute(OutputTile(start: place, rows: rows.count, lead: positions, count: tile.count))
    }
  }

  /// Lays out a part of the depth of a tile's windows, in blocks of columns that are `block` floats apart.
  private func layOut(
    _ x: Floats, _ copy: Int, _ tile: Range<Int>, _ piece: Range<Int>, row: MutableFloats, to columns: MutableFloats,
    block: Int
  ) {
    let positions = geometry.inputPositions
    let x = x + copy * geometry.inputs * positions
    if geometry.isPointwise {
      rk_pack_columns(
        x + piece.lowerBound * positions + tile.lowerBound, 1, positions, tile.count, piece.count,
        WeightPart.all.kernel, columns, block)
    } else {
      withUnsafePointer(to: geometry.window) {
        rk_pack_windows(
          x, $0, tile.lowerBound, tile.upperBound, piece.lowerBound, piece.upperBound, row, columns, block)
      }
    }
  }

  private func rowScratch(_ count: Int) -> Int {
    geometry.isPointwise ? 0 : withUnsafePointer(to: geometry.window) { rk_pack_windows_scratch($0, count) }
  }

  /// An operand that is laid out once, and the products that use it.
  private struct Step {
    let x: Floats
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
  /// Sets the operations at the end of a tile of channels from `channel` on.
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
