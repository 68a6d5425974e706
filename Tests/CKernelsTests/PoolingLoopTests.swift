import CRelevanceKernels
import Foundation
import RelevanceTestSupport
import Testing

@Suite("C loops of pooling and normalization")
struct PoolingLoopTests {
  @Test func maxima() {
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      let x = values.fractions(geometry.height * geometry.width)
      let expected = geometry.taps().map { taps in Double(taps.compactMap { $0.map { x[$0] } }.max() ?? -.infinity) }
      let (input, result) = (Memory(x, shift: index % 4), Memory(count: expected.count, shift: 1))
      withUnsafePointer(to: geometry.window) { rk_max_pool(input.pointer, $0, result.pointer) }
      #expect(result.difference(from: expected, .bits) == nil, "\(geometry)")
    }
  }

  @Test(arguments: [false, true]) func averagesAndTheirAdjoints(countsPadding: Bool) {
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      let x = values.whole(geometry.height * geometry.width)
      let windows = geometry.taps().map { $0.compactMap(\.self) }
      let divisors = countsPadding ? geometry.tapsInPadding() : windows.map(\.count)
      let sums = windows.map { taps in taps.reduce(0) { $0 + x[$1] } }
      let expected = zip(sums, divisors).map { $1 > 0 ? Double($0 / Float($1)) : 0 }
      let r = values.whole(windows.count, -3...3, times: 2520)
      var adjoint = [Double](repeating: 0, count: x.count)
      for (i, taps) in windows.enumerated() { for tap in taps { adjoint[tap] += Double(r[i]) / Double(divisors[i]) } }

      let (input, relevance) = (Memory(x, shift: index % 4), Memory(r, shift: 3))
      let (means, shares) = (Memory(count: windows.count, shift: 1), Memory(count: x.count, shift: 2))
      let counts: Int32 = countsPadding ? 1 : 0
      withUnsafePointer(to: geometry.window) {
        rk_average_pool(input.pointer, $0, geometry.after.y, geometry.after.x, counts, means.pointer)
        rk_average_pool_adjoint(relevance.pointer, $0, geometry.after.y, geometry.after.x, counts, shares.pointer)
      }
      #expect(means.difference(from: expected) == nil, "\(geometry)")
      #expect(shares.difference(from: adjoint) == nil, "\(geometry)")
    }
  }

  @Test(arguments: 1...5) func localResponseNormalization(size: Int) {
    for positions in counts {
      let channels = positions % 7 + 1
      var values = Values(seed: positions)
      let x = values.fractions(channels * positions)
      let expected = x.indices.map { i -> Double in
        let channel = i / positions
        let neighbors = channel - (size - 1) / 2...channel + size / 2
        let sum = neighbors.reduce(0.0) { sum, k in
          k >= 0 && k < channels ? sum + pow(Double(x[k * positions + i % positions]), 2) : sum
        }
        return Double(x[i]) / pow(2 + 0.5 / Double(size) * sum, 0.75)
      }
      let (input, result) = (Memory(x, shift: positions % 4), Memory(count: x.count, shift: 1))
      rk_lrn(input.pointer, channels, positions, size, 0.5, 0.75, 2, result.pointer)
      #expect(result.difference(from: expected, .within(Tolerance.singlePrecision)) == nil, "\(positions) positions")
    }
  }
}
