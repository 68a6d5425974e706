import CRelevanceKernels
import Testing

@Suite("C loops of convolutions")
struct ConvolutionLoopTests {
  private let channels = 2

  /// Parts of the windows: all, all except the ends, and a run that starts and ends within rows.
  private func parts(_ windows: Int) -> [Range<Int>] {
    [0..<windows, min(1, windows)..<max(windows - 1, min(1, windows)), windows / 3..<min(windows / 3 + 17, windows)]
  }

  @Test func columnsOfAnImage() {
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      let plane = geometry.height * geometry.width
      let (x, taps) = (values.fractions(channels * plane), geometry.taps())
      let kernel = geometry.kernel.y * geometry.kernel.x
      for part in parts(taps.count) {
        let stride = part.count + index % 3
        let expected = (0..<channels * kernel * stride).map { i -> Double? in
          let (row, window) = (i / stride, i % stride)
          guard window < part.count else { return nil }
          return taps[part.lowerBound + window][row % kernel].map { Double(x[row / kernel * plane + $0]) } ?? 0
        }
        let (input, columns) = (Memory(x, shift: index % 4), Memory(count: expected.count, shift: 1))
        withUnsafePointer(to: geometry.window) {
          rk_im2col(input.pointer, channels, $0, part.lowerBound, part.upperBound, columns.pointer, stride)
        }
        #expect(columns.difference(from: expected) == nil, "\(geometry), windows \(part)")
      }
    }
  }

  @Test func imagesFromColumns() {
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      let (plane, width, taps) = (geometry.height * geometry.width, geometry.width, geometry.taps())
      let kernel = geometry.kernel.y * geometry.kernel.x
      for rows in [0..<geometry.height, 1..<max(geometry.height - 1, 1), 0..<1] {
        // All windows that overlap the rows.
        let touching = taps.indices.filter { taps[$0].contains { $0.map { rows.contains($0 / width) } ?? false } }
        guard let first = touching.first, let last = touching.last else { continue }
        let stride = last + 1 - first + index % 3
        let xPlane = rows.count * width + index % 2
        let (columns, start) = (values.whole(channels * kernel * stride), values.whole(channels * xPlane))
        var expected = start.map { Optional(Double($0)) }
        for channel in 0..<channels {
          for window in first...last {
            for (tap, position) in taps[window].enumerated() {
              guard let position, rows.contains(position / width) else { continue }
              let value = columns[(channel * kernel + tap) * stride + window - first]
              expected[channel * xPlane + position - rows.lowerBound * width]! += Double(value)
            }
          }
        }
        let (input, x) = (Memory(columns, shift: index % 4), Memory(start, shift: 1))
        withUnsafePointer(to: geometry.window) {
          rk_col2im_rows(
            input.pointer, stride, channels, $0, first, last + 1, rows.lowerBound, rows.upperBound, x.pointer, xPlane)
        }
        #expect(x.difference(from: expected) == nil, "\(geometry), rows \(rows) of \(plane / width)")
      }
    }
  }

  @Test(arguments: Part.all, [false, true]) func smallProductsAreRecomputed(part: Part, onlyNeeded: Bool) {
    for (index, geometry) in Geometry.all.enumerated() where index % 3 == 0 {
      var values = Values(seed: index)
      let plane = geometry.height * geometry.width
      let (x, taps) = (values.whole(channels * plane), geometry.taps())
      let kernel = geometry.kernel.y * geometry.kernel.x
      let weights = values.whole(channels * kernel)
      let other = values.whole(channels * plane)
      let (z, needed) = (values.whole(taps.count, -100...100), values.whole(taps.count, 0...1))
      let threshold = z.reduce(0) { max($0, abs($1)) } * 0.25
      let small = taps.indices.filter { abs(z[$0]) <= threshold && (!onlyNeeded || needed[$0] != 0) }
      // One term, or two terms of which the second uses the weights unchanged.
      let hasTwo = index % 2 == 0
      var expected = [Double?](repeating: nil, count: taps.count)
      for window in small {
        expected[window] = (0..<channels * kernel).reduce(0.0) { sum, i in
          guard let position = taps[window][i % kernel] else { return sum }
          let (place, weight) = (i / kernel * plane + position, Double(weights[i]))
          return sum + Double(x[place]) * part.of(weight) + (hasTwo ? Double(other[place]) * weight : 0)
        }
      }
      let (input, kernels, mask) = (Memory(x, shift: 1), Memory(weights, shift: 2), Memory(needed, shift: 3))
      let (products, second) = (Memory(z, shift: index % 4), Memory(other))
      let terms = [
        rk_term(x: input.pointer, part: part.part),
        rk_term(x: second.pointer, part: rk_part(form: RK_SCALED, positive: 1, negative: 1)),
      ]
      let count = withUnsafePointer(to: geometry.window) {
        rk_refine_small_products(
          terms, hasTwo ? 2 : 1, channels, $0, kernels.pointer, onlyNeeded ? UnsafePointer(mask.pointer) : nil, 0.25,
          products.pointer)
      }
      #expect(count == small.count && products.difference(from: expected) == nil, "\(geometry)")
    }
  }
}
