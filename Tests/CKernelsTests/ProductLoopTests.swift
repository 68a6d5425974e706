import CRelevanceKernels
import Testing

/// Calls `body` with each instruction set that this processor supports.
func onEachInstructionSet(_ body: () -> Void) {
  for set in [RK_GENERIC, RK_AVX2, RK_AVX512] where set.rawValue <= rk_largest_instruction_set().rawValue {
    let before = rk_use_instruction_set(set)
    body()
    _ = rk_use_instruction_set(before)
  }
}

/// Products of packed matrices of whole numbers, whose sums are exact in any order.
@Suite("C loops of packed products")
struct ProductLoopTests {
  private static let rowBlock = Int(RK_PRODUCT_ROWS)
  private static let columnBlock = Int(RK_PRODUCT_COLUMNS)

  /// Blocks of `width` of the `count` rows, each depth × width, with zeros for missing rows.
  private func packed(_ count: Int, depth: Int, width: Int, _ element: (Int, Int) -> Double) -> [Double] {
    (0..<(count + width - 1) / width).flatMap { block in
      (0..<depth).flatMap { p in
        (0..<width).map { i in block * width + i < count ? element(block * width + i, p) : 0 }
      }
    }
  }

  @Test(arguments: Part.all) func packing(part: Part) {
    for count in 1...50 {
      // Around the sixteen positions that are transposed at once.
      let depth = count % 37 + 1
      for (step, depthStep) in [(depth + count % 2, 1), (1, count + count % 3), (2 * depth, 2)] {
        var values = Values(seed: count)
        let from = values.whole((count - 1) * step + (depth - 1) * depthStep + 1)
        for width in [Self.rowBlock, Self.columnBlock] {
          let expected = packed(count, depth: depth, width: width) { part.of(Double(from[$0 * step + $1 * depthStep])) }
          onEachInstructionSet {
            let (source, to) = (Memory(from, shift: count % 4), Memory(count: expected.count, shift: 1))
            if width == Self.rowBlock {
              rk_pack_rows(source.pointer, step, depthStep, count, depth, part.part, to.pointer)
            } else {
              rk_pack_columns(source.pointer, step, depthStep, count, depth, part.part, to.pointer, depth * width)
            }
            #expect(to.difference(from: expected) == nil, "\(count) × \(depth), steps \(step), \(depthStep)")
          }
        }
      }
    }
  }

  @Test func windows() {
    let channels = 2
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      let plane = geometry.height * geometry.width
      let (x, taps) = (values.fractions(channels * plane), geometry.taps())
      let kernel = geometry.kernel.y * geometry.kernel.x
      let windows = taps.count
      let all = channels * kernel
      for part in [0..<windows, windows / 3..<min(windows / 3 + 37, windows)] where !part.isEmpty {
        for depth in [0..<all, all / 3..<max(all / 2, all / 3 + 1)] {
          let expected = packed(part.count, depth: depth.count, width: Self.columnBlock) { column, p in
            let row = depth.lowerBound + p
            return taps[part.lowerBound + column][row % kernel].map { Double(x[row / kernel * plane + $0]) } ?? 0
          }
          onEachInstructionSet {
            let (input, to) = (Memory(x, shift: index % 4), Memory(count: expected.count, shift: 1))
            withUnsafePointer(to: geometry.window) {
              let scratch = Memory(count: rk_pack_windows_scratch($0, part.count))
              rk_pack_windows(
                input.pointer, $0, part.lowerBound, part.upperBound, depth.lowerBound, depth.upperBound,
                scratch.pointer,
                to.pointer, depth.count * Self.columnBlock)
              #expect(scratch.isIntact)
            }
            #expect(to.difference(from: expected) == nil, "\(geometry), windows \(part), depth \(depth)")
          }
        }
      }
    }
  }

  /// The operations at the end, and the division of rows and columns.
  @Test(arguments: 0..<32) func products(kind: Int) {
    let (accumulates, hasBias, rectifies, hasFactor) = (kind & 1, kind & 2 != 0, kind & 4 != 0, kind & 8 != 0)
    let hasColumnBias = kind & 16 != 0
    for rows in Array(1...26) + [48] {
      for columns in [1, 2, 15, 16, 17, 31, 32, 33, 34, 35, 36, 37, 47, 48, 63, 64, 65] {
        let (depth, lead) = (rows * columns % 43, columns + rows % 3)
        var values = Values(seed: rows * 100 + columns)
        let (a, b) = (values.whole(rows * depth), values.whole(columns * depth))
        let (bias, columnBias) = (values.whole(rows), values.whole(columns))
        let factor = values.whole(rows * lead)
        let start = values.whole(rows * lead)
        let packedA = packed(rows, depth: depth, width: Self.rowBlock) { Double(a[$0 * depth + $1]) }.map(Float.init)
        let packedB = packed(columns, depth: depth, width: Self.columnBlock) { Double(b[$0 * depth + $1]) }.map(
          Float.init)
        var expected = [Double?](repeating: nil, count: rows * lead)
        for row in 0..<rows {
          for column in 0..<columns {
            let at = row * lead + column
            var sum = accumulates != 0 ? Double(start[at]) : 0
            for p in 0..<depth { sum += Double(a[row * depth + p] * b[column * depth + p]) }
            if hasBias { sum += Double(bias[row]) }
            if hasColumnBias { sum += Double(columnBias[column]) }
            if rectifies { sum = max(sum, 0) }
            expected[at] = hasFactor ? sum * Double(factor[at]) : sum
          }
        }
        onEachInstructionSet {
          let (memoryA, memoryB) = (Memory(packedA, shift: rows % 4), Memory(packedB, shift: columns % 4))
          let (c, biases, factors) = (Memory(start, shift: 1), Memory(bias), Memory(factor, shift: 2))
          let columnBiases = Memory(columnBias, shift: 3)
          // Some lines to bring, or none.
          var ahead = rk_ahead(x: memoryA.pointer, step: depth, rows: kind % 3 * rows, count: depth)
          var end = rk_product_end(
            bias: hasBias ? UnsafePointer(biases.pointer) : nil,
            column_bias: hasColumnBias ? UnsafePointer(columnBiases.pointer) : nil, rectifies: rectifies ? 1 : 0,
            factor: hasFactor ? UnsafePointer(factors.pointer) : nil, factor_lead: lead)
          rk_product(
            rows, columns, depth, memoryA.pointer, depth * Self.rowBlock, memoryB.pointer, depth * Self.columnBlock,
            c.pointer, lead, Int32(accumulates), &end, &ahead)
          #expect(c.difference(from: expected) == nil, "\(rows) × \(columns) × \(depth)")
        }
      }
    }
  }
}
