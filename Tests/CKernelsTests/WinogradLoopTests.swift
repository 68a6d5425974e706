import CRelevanceKernels
import RelevanceTestSupport
import Testing

/// The transforms of F(4×4, 3×3), against their matrices (A. Lavin, S. Gray, CVPR 2016).
@Suite("C loops of Winograd's transforms")
struct WinogradLoopTests {
  private static let ofInput: [[Double]] = [
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ]
  private static let ofKernel: [[Double]] = [
    [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ]
  private static let ofOutput: [[Double]] = [
    [1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1],
  ]

  /// M x Mᵀ for a square matrix x, row after row.
  private static func transform(_ m: [[Double]], _ x: [Double]) -> [Double] {
    let n = m[0].count
    let half = m.map { row in (0..<n).map { column in (0..<n).reduce(0.0) { $0 + row[$1] * x[$1 * n + column] } } }
    return half.flatMap { row in m.map { other in zip(row, other).reduce(0.0) { $0 + $1.0 * $1.1 } } }
  }

  /// Maps of every width that keep or reduce the size, with few and with many rows of tiles.
  private static let geometries = (1...70).flatMap { width in
    [1, 4, 9, width < 20 ? 30 : 5].flatMap { height in
      [
        Geometry(height: height, width: width, kernel: (3, 3), before: (1, 1), after: (1, 1)),
        Geometry(height: height + 2, width: width + 2, kernel: (3, 3)),
        Geometry(height: height, width: width, kernel: (3, 3), before: (2, 2), after: (2, 2)),
      ]
    }
  }

  /// Missing rows repeat the kernels of the last row.
  @Test(arguments: Part.all, [false, true]) func kernels(part: Part, turned: Bool) {
    let block = Int(RK_PRODUCT_ROWS)
    for rows in 1...30 {
      let depth = rows % 5 + 1
      // In a model's layout, and with adjacent rows.
      let (step, depthStep) = turned ? (9, rows * 9 + rows % 4) : (depth * 9 + rows % 4, 9)
      let blocks = (rows + block - 1) / block
      let plane = blocks * block * depth + rows % 3
      var values = Values(seed: rows)
      let g = values.whole((rows - 1) * step + (depth - 1) * depthStep + 9)
      var expected = [Double?](repeating: nil, count: 36 * plane)
      for row in 0..<blocks * block {
        for place in 0..<depth {
          let kernel = min(row, rows - 1) * step + place * depthStep
          let taps = (0..<9).map { part.of(Double(g[kernel + (turned ? 8 - $0 : $0)])) }
          for (k, value) in Self.transform(Self.ofKernel, taps).enumerated() {
            expected[k * plane + (row / block * depth + place) * block + row % block] = value
          }
        }
      }
      onEachInstructionSet {
        let (weights, u) = (Memory(g, shift: rows % 4), Memory(count: expected.count, shift: 1))
        rk_winograd_kernels(
          weights.pointer, step, depthStep, rows, depth, part.part, turned ? 1 : 0, u.pointer, plane)
        #expect(u.difference(from: expected, .within(Tolerance.singlePrecision)) == nil, "\(rows) rows, depth \(depth)")
      }
    }
  }

  @Test func packedTiles() {
    for tiles in 1...50 {
      let (plane, blocks, depth) = (tiles + 16, (tiles + 15) / 16, tiles % 3 + 1)
      let (toPlane, place) = (blocks * 16 * depth + 5, tiles % depth)
      var values = Values(seed: tiles)
      let v = values.fractions(36 * plane)
      var expected = [Double?](repeating: nil, count: 36 * toPlane)
      for k in 0..<36 {
        for t in 0..<blocks * 16 {
          expected[k * toPlane + (t / 16 * depth + place) * 16 + t % 16] = Double(v[k * plane + t])
        }
      }
      onEachInstructionSet {
        let (from, to) = (Memory(v, shift: tiles % 4), Memory(count: expected.count, shift: 1))
        rk_winograd_pack(from.pointer, plane, tiles, to.pointer + place * 16, toPlane, depth * 16)
        #expect(to.difference(from: expected) == nil, "\(tiles) tiles")
      }
    }
  }

  @Test func inputs() {
    for (index, geometry) in Self.geometries.enumerated() {
      let tiles = (geometry.outWidth + 3) / 4
      let tileRows = (geometry.outHeight + 3) / 4
      var values = Values(seed: index)
      let x = values.whole(geometry.height * geometry.width)
      for rows in [0..<tileRows, tileRows / 2..<tileRows] where !rows.isEmpty {
        let plane = rows.count * tiles + 15
        var expected = [[Double]](repeating: [], count: rows.count * tiles)
        for tile in expected.indices {
          let patch = (0..<36).map { i -> Double in
            let row = (rows.lowerBound + tile / tiles) * 4 + i / 6 - geometry.before.y
            let column = tile % tiles * 4 + i % 6 - geometry.before.x
            guard (0..<geometry.height).contains(row), (0..<geometry.width).contains(column) else { return 0 }
            return Double(x[row * geometry.width + column])
          }
          expected[tile] = Self.transform(Self.ofInput, patch)
        }
        let (input, v) = (Memory(x, shift: index % 4), Memory(count: 36 * plane, shift: 1))
        withUnsafePointer(to: geometry.window) {
          let scratch = Memory(count: rk_winograd_scratch($0), shift: 2)
          rk_winograd_input(input.pointer, $0, rows.lowerBound, rows.upperBound, v.pointer, plane, scratch.pointer)
          #expect(scratch.isIntact)
        }
        // Values after the last tile are arbitrary.
        let all = (0..<36 * plane).map { i -> Double in
          i % plane < expected.count ? expected[i % plane][i / plane] : Double(v.pointer[i])
        }
        #expect(v.difference(from: all.map { $0.isNaN ? nil : $0 }) == nil, "\(geometry), rows \(rows)")
      }
    }
  }

  /// The operation at the end; only `sum` adds to existing values.
  enum End: CaseIterable { case bias, rectified, factor, sum }

  @Test(arguments: End.allCases) func outputs(end: End) {
    for (index, geometry) in Self.geometries.enumerated() {
      let (height, width) = (geometry.outHeight, geometry.outWidth)
      let (tiles, tileRows) = ((width + 3) / 4, (height + 3) / 4)
      var values = Values(seed: index)
      let (factor, start) = (values.whole(height * width), values.whole(height * width))
      for rows in [0..<tileRows, tileRows / 2..<tileRows] where !rows.isEmpty {
        let plane = rows.count * tiles + 15
        let m = values.whole(36 * plane)
        var expected = [Double?](repeating: nil, count: height * width)
        for tile in 0..<rows.count * tiles {
          let outputs = Self.transform(Self.ofOutput, (0..<36).map { Double(m[$0 * plane + tile]) })
          for (i, value) in outputs.enumerated() {
            let row = (rows.lowerBound + tile / tiles) * 4 + i / 4
            let column = tile % tiles * 4 + i % 4
            guard row < height, column < width else { continue }
            let position = row * width + column
            expected[position] =
              switch end {
              case .bias: value + 3
              case .rectified: max(0, value + 3)
              case .factor: value * Double(factor[position])
              case .sum: value + 3 + Double(start[position])
              }
          }
        }
        let (products, factors) = (Memory(m, shift: index % 4), Memory(factor, shift: 3))
        let y = Memory(start, shift: 1)
        withUnsafePointer(to: geometry.window) {
          let scratch = Memory(count: rk_winograd_scratch($0), shift: 2)
          rk_winograd_output(
            products.pointer, plane, $0, rows.lowerBound, rows.upperBound, 3, end == .rectified ? 1 : 0,
            end == .factor ? UnsafePointer(factors.pointer) : nil, end == .sum ? 1 : 0, y.pointer, scratch.pointer)
          #expect(scratch.isIntact)
        }
        #expect(y.difference(from: expected) == nil, "\(geometry), rows \(rows)")
      }
    }
  }
}
