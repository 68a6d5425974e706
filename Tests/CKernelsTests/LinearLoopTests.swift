import CRelevanceKernels
import Testing

/// Products with matrices of whole numbers, which are exact in any order.
@Suite("C loops of fully connected layers")
struct LinearLoopTests {
  @Test(arguments: Part.all, [false, true]) func products(part: Part, withAll: Bool) {
    for count in Array(counts) + [543, 1101] {
      let (rows, stride) = (count % 4, count + count % 3)
      var values = Values(seed: count)
      let (w, x) = (values.whole(rows * stride), values.whole(count))
      func sums(_ of: (Double) -> Double) -> [Double] {
        (0..<rows).map { r in (0..<count).reduce(0) { $0 + of(Double(w[r * stride + $1])) * Double(x[$1]) } }
      }
      for shift in shifts {
        let (weights, input) = (Memory(w, shift: shift), Memory(x, shift: (shift + 1) % 4))
        let (all, some) = (Memory(count: rows), Memory(count: rows))
        rk_products(
          weights.pointer, stride, rows, input.pointer, count, part.part, withAll ? all.pointer : nil, some.pointer)
        #expect(some.difference(from: sums(part.of)) == nil, "\(count) columns, \(shift) after a boundary")
        #expect(all.difference(from: withAll ? sums { $0 } : Array(repeating: nil, count: rows)) == nil, "\(count)")
      }
    }
  }

  @Test(arguments: Part.all) func listedRows(part: Part) {
    for count in counts {
      let (rows, stride) = (9, count + count % 3)
      var values = Values(seed: count)
      let (w, start, s) = (values.whole(rows * stride), values.whole(count), values.whole(rows))
      for listed in [[], [4], [8, 0], [1, 2, 3, 5], [0, 1, 2, 6, 8], Array(0..<9)] {
        let (weights, factors) = (Memory(w, shift: 1), Memory(s, shift: 2))
        let y = Memory(start, shift: count % 4)
        rk_accumulate_rows(y.pointer, weights.pointer, stride, listed, listed.count, factors.pointer, count, part.part)
        let expected = (0..<count).map { i in
          listed.reduce(Double(start[i])) { $0 + Double(s[$1]) * part.of(Double(w[$1 * stride + i])) }
        }
        #expect(y.difference(from: expected) == nil, "\(count) columns of rows \(listed)")
      }
    }
  }

  @Test func nonzeroColumns() {
    for count in counts {
      for rows in [0, 1, 5] {
        var values = Values(seed: count * 10 + rows)
        let x = values.whole(rows * count, -1...1)
        onEachInstructionSet {
          let memory = Memory(x, shift: count % 4)
          var flags = [UInt8](repeating: 7, count: count + 1)
          rk_nonzero_columns(memory.pointer, rows, count, &flags)
          let expected = (0..<count).map { column in
            (0..<rows).contains { x[$0 * count + column] != 0 } ? UInt8(1) : 0
          }
          #expect(flags == expected + [7], "\(rows) rows of \(count)")
        }
      }
    }
  }
}
