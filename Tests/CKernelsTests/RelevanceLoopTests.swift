import CRelevancePropagation
import RelevanceTestSupport
import Testing

// Loops that only relevance propagation needs.

extension ElementwiseLoopTests {
  static let relevanceLoops = [
    Loop("subtract", { x, _ in [x - 0.7] }) { y, x, _, n in rk_subtract_scalar(y, x, 0.7, n) },
    Loop("mask", { r, y in [y > 0 ? r : 0] }) { result, r, y, n in
      result.update(from: r, count: n)
      rk_mask(result, y, n)
    },
    Loop("divide by positive numbers", { r, z in [z > 0 ? r / (z + 0.1) : 0] }) { result, r, z, n in
      result.update(from: r, count: n)
      rk_divide_positive(result, z, 0.1, n)
    },
    Loop("divide by nonzero numbers", { r, z in [z != 0 ? r / (z + (z > 0 ? 0.1 : -0.1)) : 0] }) { result, r, z, n in
      result.update(from: r, count: n)
      rk_divide_nonzero(result, z, 0.1, n)
    },
  ]
}

@Suite("C loops of relevance")
struct RelevanceLoopTests {
  /// Adds the terms in eight partial sums, then these in order, then the remaining terms.
  private func inEights(_ terms: [Double]) -> Double {
    var partial = [Double](repeating: 0, count: 8)
    let whole = terms.count / 8 * 8
    for i in 0..<whole { partial[i % 8] += terms[i] }
    return terms[whole...].reduce(partial.reduce(0, +), +)
  }

  @Test func sums() {
    for count in counts {
      for shift in shifts {
        let x = Memory(values(count), shift: shift)
        let terms = values(count).map(Double.init)
        #expect(rk_sum(x.pointer, count) == inEights(terms))
        var both = [100.0, 200.0]
        rk_sums(x.pointer, count, &both)
        #expect(both[0] == 100 + inEights(terms))
        #expect(both[1] == 200 + inEights(terms.map(abs)))
      }
    }
    func values(_ count: Int) -> [Float] {
      var values = Values(seed: count)
      return values.fractions(count)
    }
  }

  @Test(arguments: [false, true]) func relevanceAbsorbedByDivisions(positive: Bool) {
    let stabilizer: Float = 0.25
    for count in counts {
      for shift in shifts {
        var values = Values(seed: count)
        let r = values.fractions(count)
        let z = zip(values.fractions(count), values.whole(count, 0...2)).map { $1 == 0 ? 0 : $0 }
        let (relevance, denominators) = (Memory(r, shift: shift), Memory(z, shift: 1))
        var kept = [100.0, 200.0]
        rk_divide_losses(relevance.pointer, denominators.pointer, stabilizer, positive ? 1 : 0, count, &kept)
        let divides = z.map { positive ? $0 > 0 : $0 != 0 }
        let zero = zip(r, divides).map { $1 ? 0 : Double($0) }
        let stabilized = z.indices.map { divides[$0] ? Double(r[$0] * (stabilizer / (abs(z[$0]) + stabilizer))) : 0 }
        #expect(abs(kept[0] - 100 - zero.reduce(0, +)) < 1e-12 && abs(kept[1] - 200 - stabilized.reduce(0, +)) < 1e-12)
      }
    }
  }

  @Test(arguments: [false, true]) func winners(split: Bool) {
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      // Few different values, so that there are several winners; the relevance can be divided exactly by their number.
      let x = values.whole(geometry.height * geometry.width, 0...3)
      let windows = geometry.taps().map { $0.compactMap(\.self) }
      let largest = windows.map { taps in taps.map { x[$0] }.max() ?? -.infinity }
      let r = values.whole(windows.count, -3...3, times: 2520)
      var expected = [Double](repeating: 0, count: x.count)
      for (i, taps) in windows.enumerated() {
        let winners = taps.filter { x[$0] == largest[i] }
        for winner in split ? winners[...] : winners.prefix(1) {
          expected[winner] += Double(r[i]) / Double(split ? winners.count : 1)
        }
      }
      let (input, output, relevance) = (Memory(x, shift: 1), Memory(largest), Memory(r, shift: 3))
      let result = Memory(count: x.count, shift: index % 4)
      withUnsafePointer(to: geometry.window) {
        rk_max_pool_winners(input.pointer, output.pointer, relevance.pointer, $0, split ? 1 : 0, result.pointer)
      }
      #expect(result.difference(from: expected) == nil, "\(geometry)")
    }
  }

  @Test func proportionalShares() {
    for (index, geometry) in Geometry.all.enumerated() {
      var values = Values(seed: index)
      let x = values.whole(geometry.height * geometry.width, 0...2)
      let windows = geometry.taps().map { $0.compactMap(\.self) }
      let r = values.fractions(windows.count)
      var expected = [Double](repeating: 0, count: x.count)
      for (i, taps) in windows.enumerated() {
        let sum = taps.reduce(0) { $0 + Double(x[$1]) }
        for tap in taps where sum != 0 { expected[tap] += Double(x[tap]) / sum * Double(r[i]) }
      }
      let (input, relevance) = (Memory(x, shift: 1), Memory(r, shift: 3))
      let result = Memory(count: x.count, shift: index % 4)
      withUnsafePointer(to: geometry.window) {
        rk_average_pool_proportional(input.pointer, relevance.pointer, $0, result.pointer)
      }
      #expect(result.difference(from: expected, .within(Tolerance.singlePrecision)) == nil, "\(geometry)")
    }
  }
}
