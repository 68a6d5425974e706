import CRelevanceKernels
import Testing

/// Loops over elements, against the definition for each element, to the bit, for every count and alignment.
@Suite("C loops over elements")
struct ElementwiseLoopTests {
  typealias Pointer = UnsafePointer<Float>
  typealias Target = UnsafeMutablePointer<Float>

  /// A loop from two operands to a result, with the definition of the result; several results may be correct.
  struct Loop: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let run: @Sendable (Target, Pointer, Pointer, Int) -> Void
    let definition: @Sendable (Float, Float) -> [Float]

    init(
      _ name: String, _ definition: @escaping @Sendable (Float, Float) -> [Float],
      _ run: @escaping @Sendable (Target, Pointer, Pointer, Int) -> Void
    ) {
      (testDescription, self.definition, self.run) = (name, definition, run)
    }
  }

  static let loops = [
    Loop("relu", { x, _ in [x > 0 ? x : 0] }) { y, x, _, n in rk_relu(y, x, n) },
    Loop("clip", { x, _ in [x > 0.5 ? (x < 2 ? x : 2) : 0.5] }) { y, x, _, n in rk_clip(y, x, 0.5, 2, n) },
    Loop("add", { a, b in [a + b] }) { y, a, b, n in rk_add(y, a, b, n) },
    Loop("multiply", { a, b in [a * b] }) { y, a, b, n in rk_multiply(y, a, b, n) },
    Loop("subtract", { a, b in [a - b] }) { y, a, b, n in rk_subtract(y, a, b, n) },
    Loop("divide", { a, b in [a / b] }) { y, a, b, n in rk_divide(y, a, b, n) },
    Loop("divide by", { a, _ in [a / 0.7] }) { y, a, _, n in rk_divide_by(y, a, 0.7, n) },
    Loop("scale", { x, _ in [x * 0.7] }) { y, x, _, n in rk_scale(y, x, 0.7, n) },
    // Processors with fused multiply-add round once.
    Loop("affine", { x, _ in [x * 0.7 + 1.1, (1.1 as Float).addingProduct(x, 0.7)] }) { y, x, _, n in
      rk_affine(y, x, 0.7, 1.1, n)
    },
    Loop("part, scaled", { w, _ in [w * (w > 0 ? 0.3 : -1.7)] }) { y, w, _, n in
      rk_part_copy(y, w, n, rk_part(form: RK_SCALED, positive: 0.3, negative: -1.7))
    },
    Loop("part, squared", { w, _ in [w * w] }) { y, w, _, n in
      rk_part_copy(y, w, n, rk_part(form: RK_SQUARED, positive: 0, negative: 0))
    },
    Loop("part, ones", { _, _ in [1] }) { y, w, _, n in
      rk_part_copy(y, w, n, rk_part(form: RK_ONES, positive: 0, negative: 0))
    },
  ]

  @Test(arguments: loops + relevanceLoops) func matchesItsDefinition(loop: Loop) {
    for count in counts {
      for shift in shifts {
        var values = Values(seed: count)
        let (a, b) = (values.any(count), values.any(count))
        let (first, second) = (Memory(a, shift: shift), Memory(b, shift: (shift + 1) % 4))
        let result = Memory(count: count, shift: (shift + 2) % 4)
        loop.run(result.pointer, first.pointer, second.pointer, count)
        let expected = zip(a.indices, zip(a, b)).map { i, operands in
          let right = loop.definition(operands.0, operands.1)
          return Double(right.first { $0 == result.pointer[i] } ?? right[0])
        }
        #expect(result.difference(from: expected, .bits) == nil, "\(count) elements, \(shift) after a boundary")
        #expect(first.difference(from: a.map { _ in nil }) == nil && second.difference(from: b.map { _ in nil }) == nil)
      }
    }
  }

  @Test(arguments: [false, true], [false, true]) func biasAndRectifier(hasBias: Bool, relu: Bool) {
    for count in counts {
      let stride = count + 3
      var values = Values(seed: count)
      let (start, bias) = (values.any(3 * stride), values.fractions(3))
      let (y, b) = (Memory(start, shift: count % 4), Memory(bias))
      rk_bias_relu(y.pointer, stride, 3, count, hasBias ? UnsafePointer(b.pointer) : nil, relu ? 1 : 0)
      let expected = start.enumerated().map { i, y -> Double? in
        guard i % stride < count else { return nil }
        let sum = hasBias ? y + bias[i / stride] : y
        return Double(!relu || sum > 0 ? sum : 0)
      }
      #expect(y.difference(from: expected, .bits) == nil, "\(count) elements")
    }
  }

  @Test func productsOfRows() {
    for count in counts {
      let stride = count + 2
      var values = Values(seed: count)
      let (start, factors) = (values.any(3 * stride), values.any(3 * stride))
      let (y, x) = (Memory(start, shift: count % 4), Memory(factors, shift: 1))
      rk_multiply_rows(y.pointer, x.pointer, stride, 3, count)
      let expected = start.indices.map { $0 % stride < count ? Double(start[$0] * factors[$0]) : nil }
      #expect(y.difference(from: expected, .bits) == nil, "\(count) elements")
    }
  }
}
