import CRelevanceKernels
import Testing

/// Transposes and normalization, against their definitions.
@Suite("C loops of layouts and normalization")
struct LayoutLoopTests {
  @Test func transposes() {
    withEachInstructionSet { name in
      for rows in [1, 2, 7, 8, 9, 16, 33, 70, 131] {
        for columns in [1, 3, 8, 15, 24, 64, 65, 100] {
          let (lead, resultLead) = (columns + rows % 3, rows + columns % 2)
          var values = Values(seed: rows * columns)
          let x = Memory(values.any(rows * lead), shift: rows % 4)
          let y = Memory(count: columns * resultLead, shift: 1)
          rk_transpose(x.pointer, lead, rows, columns, y.pointer, resultLead)
          let expected = (0..<columns * resultLead).map { i -> Double? in
            i % resultLead < rows ? Double(x.pointer[i % resultLead * lead + i / resultLead]) : nil
          }
          #expect(y.difference(from: expected, .bits) == nil, "\(rows) × \(columns), \(name)")
        }
      }
    }
  }

  @Test(arguments: [false, true]) func meansAndVariances(isCentered: Bool) {
    withEachInstructionSet { name in
      for count in counts where count > 0 {
        var values = Values(seed: count)
        let x = values.whole(count)
        let memory = Memory(x, shift: count % 4)
        var (mean, variance) = (0.0, 0.0)
        rk_mean_and_variance(memory.pointer, count, isCentered ? 1 : 0, &mean, &variance)
        let center = isCentered ? x.reduce(0.0) { $0 + Double($1) } / Double(count) : 0
        let squares = x.reduce(0.0) { $0 + (Double($1) - center) * (Double($1) - center) }
        #expect(abs(mean - center) < 1e-13 && abs(variance - squares / Double(count)) < 1e-12, "\(count), \(name)")
      }
    }
  }

  @Test func normalization() {
    withEachInstructionSet { name in
      for count in counts {
        var values = Values(seed: count)
        let (x, scale, shift) = (values.whole(count), values.whole(count), values.whole(count))
        let (input, a, b) = (Memory(x, shift: 1), Memory(scale), Memory(shift, shift: 3))
        for hasShift in [true, false] {
          let y = Memory(count: count, shift: 2)
          rk_normalize(y.pointer, input.pointer, 3, 0.5, a.pointer, hasShift ? UnsafePointer(b.pointer) : nil, count)
          let expected = x.indices.map {
            (Double(x[$0]) - 3) * 0.5 * Double(scale[$0]) + (hasShift ? Double(shift[$0]) : 0)
          }
          #expect(y.difference(from: expected) == nil, "\(count) elements, \(name)")
        }
        let y = Memory(count: count)
        rk_normalize_alike(y.pointer, input.pointer, 3, 0.5, 4, -1, count)
        #expect(y.difference(from: x.map { (Double($0) - 3) * 2 - 1 }) == nil, "\(count) elements, \(name)")
      }
    }
  }

  @Test(arguments: [false, true], [false, true]) func normalizationAdjoint(isCentered: Bool, holdsDeviation: Bool) {
    withEachInstructionSet { name in
      for count in counts where count > 0 {
        var values = Values(seed: count)
        let (x, s) = (values.whole(count), values.whole(count))
        let (mean, factor, size) = (isCentered ? 0.75 : 0, 0.3, Double(count))
        let normalized = x.map { (Double($0) - mean) * factor }
        let sum = isCentered ? s.reduce(0) { $0 + Double($1) } : 0
        let projection = holdsDeviation ? 0 : zip(s, normalized).reduce(0) { $0 + Double($1.0) * $1.1 }
        let expected = zip(s, normalized).map { factor * (Double($0) - sum / size - $1 * projection / size) }
        let (c, input) = (Memory(s, shift: count % 4), Memory(x, shift: 1))
        rk_normalization_adjoint(
          c.pointer, input.pointer, mean, factor, isCentered ? 1 : 0, holdsDeviation ? 1 : 0, count)
        #expect(c.difference(from: expected, .within(1e-6)) == nil, "\(count) elements, \(name)")
      }
    }
  }
}
