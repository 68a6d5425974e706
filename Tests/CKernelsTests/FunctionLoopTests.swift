import CRelevanceKernels
import Foundation
import Testing

/// Functions of elements, against double precision, over all magnitudes of both signs.
@Suite("C loops of functions")
struct FunctionLoopTests {
  struct Function: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The accepted difference, in units in the last place.
    var units = 4.0
    /// The accepted difference at x where the definition itself is inexact in single precision.
    var slack: @Sendable (_ x: Double) -> Double = { _ in 0 }
    let definition: @Sendable (Double) -> Double
    let run: @Sendable (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  }

  private static let sigmoid: @Sendable (Double) -> Double = { 1 / (1 + exp(-$0)) }
  private static let slope: @Sendable (Double) -> Double = { x in
    let e = exp(-abs(x))
    return e / ((1 + e) * (1 + e))
  }
  private static let scale = (2 / Double.pi).squareRoot()

  static let functions = [
    Function(testDescription: "exp", definition: { exp($0) }, run: { rk_exp($0, $1, $2) }),
    Function(testDescription: "log", definition: { log($0) }, run: { rk_log($0, $1, $2) }),
    Function(testDescription: "sigmoid", definition: sigmoid, run: { rk_sigmoid($0, $1, $2) }),
    Function(testDescription: "tanh", definition: { tanh($0) }, run: { rk_tanh($0, $1, $2) }),
    Function(
      testDescription: "softplus", definition: { max($0, 0) + log1p(exp(-abs($0))) }, run: { rk_softplus($0, $1, $2) }),
    Function(
      testDescription: "mish",
      definition: { x in
        let n = exp(min(x, 50))
        return x * (n * (n + 2) / (n * (n + 2) + 2))
      }, run: { rk_mish($0, $1, $2) }),
    Function(testDescription: "erf", definition: { erf($0) }, run: { rk_erf($0, $1, $2) }),
    Function(
      testDescription: "gelu", units: 8, definition: { $0 * (0.5 * erfc(-$0 / 2.0.squareRoot())) },
      run: { rk_gelu($0, $1, $2) }),
    Function(
      testDescription: "gelu by tanh",
      // An exponent of this size is rounded.
      slack: { x in
        let w = 2 * scale * (x + 0.044715 * x * x * x)
        return x < 0 ? -x * sigmoid(w) * min(-w, 200) * 0x1p-21 : 0
      }, definition: { $0 * sigmoid(2 * scale * ($0 + 0.044715 * $0 * $0 * $0)) }, run: { rk_gelu_by_tanh($0, $1, $2) }),
    Function(
      testDescription: "swish", definition: { $0 * sigmoid($0) }, run: { rk_swish($0, $1, 1, $2) }),
    Function(
      testDescription: "swish of half", definition: { $0 * sigmoid(0.5 * $0) }, run: { rk_swish($0, $1, 0.5, $2) }),
    Function(
      testDescription: "hard swish", slack: { abs($0) * 0x1p-24 }, definition: { $0 * clipped($0 / 6 + 0.5) },
      run: { rk_hard_swish($0, $1, $2) }),
    Function(
      testDescription: "hard sigmoid", slack: { _ in 0x1p-24 }, definition: { clipped(0.25 * $0 + 0.5) },
      run: { rk_hard_sigmoid($0, $1, 0.25, 0.5, $2) }),
    Function(
      testDescription: "elu", definition: { $0 > 0 ? 1.5 * $0 : 0.75 * expm1(0.5 * $0) },
      run: { rk_elu($0, $1, 1.5, 0.75, 0.5, $2) }),
    Function(
      testDescription: "derivative of sigmoid", definition: slope, run: { rk_sigmoid_slope($0, $1, $2) }),
    Function(
      testDescription: "derivative of tanh", definition: { 4 * slope(2 * $0) }, run: { rk_tanh_slope($0, $1, $2) }),
    // Both summands are rounded, and cancel near the extremum of the function.
    Function(
      testDescription: "derivative of gelu", units: 8,
      slack: { x in 0x1p-21 * exp(-x * x / 2) * (1 + min(abs(x), 1000)) + 0x1p-149 * min(abs(x), 1000) },
      definition: { x in
        let b = min(max(x, -100), 100)
        return 0.5 * erfc(-b / 2.0.squareRoot()) + b * exp(-b * b / 2) / (2 * Double.pi).squareRoot()
      }, run: { rk_gelu_slope($0, $1, $2) }),
    Function(
      testDescription: "derivative of swish",
      slack: { x in (0x1p-22 * slope(x / 2) + 0x1p-149) * (1 + min(abs(x), 1000)) },
      definition: { x in
        let z = min(max(x / 2, -700), 700)
        return sigmoid(z) + z * slope(z)
      }, run: { rk_swish_slope($0, $1, 0.5, $2) }),
    Function(
      testDescription: "derivative of hard swish", slack: { _ in 0x1p-23 },
      definition: { $0 <= -3 ? 0 : $0 >= 3 ? 1 : $0 / 3 + 0.5 }, run: { rk_hard_swish_slope($0, $1, $2) }),
    Function(
      testDescription: "leaky relu", definition: { $0 > 0 ? $0 : 0.125 * $0 }, run: { rk_leaky_relu($0, $1, 0.125, $2) }
    ),
  ]

  private static let clipped: @Sendable (Double) -> Double = { $0 > 1 ? 1 : $0 < 0 ? 0 : $0 }

  private static let special: [Float] = [
    0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude, .leastNormalMagnitude, 88.7228, 88.73, -87.4, -103.9, -104.5, 1, -1, 3, -3, 20, -20,
  ]

  /// A description of a wrong value; nil if the value is correct.
  private static func fault(_ function: Function, _ x: Float, _ found: Float) -> String? {
    let exact = function.definition(Double(x))
    let expected = Float(exact)
    if expected.isNaN || found.isNaN {
      return expected.isNaN && found.isNaN ? nil : "\(x): expected \(expected), found \(found)"
    }
    if expected == found { return expected.sign == found.sign || exact != 0 ? nil : "\(x): the sign of 0" }
    guard expected.isFinite, found.isFinite else { return "\(x): expected \(expected), found \(found)" }
    let unit = Double(max(expected.magnitude, .leastNormalMagnitude).ulp)
    return abs(Double(found) - exact) <= function.units * unit + function.slack(Double(x))
      ? nil : "\(x): expected \(exact), found \(found)"
  }

  @Test(arguments: functions) func areWithinUnitsOfTheirDefinitions(function: Function) {
    // Every 4001st float by its bit pattern.
    let dense = stride(from: UInt64(0), through: UInt64(UInt32.max), by: 4001).map { Float(bitPattern: UInt32($0)) }
    let x = Self.special + dense + (-40_000...40_000).map { Float($0) / 2000 }
    withEachInstructionSet { name in
      let (input, y) = (Memory(x, shift: 1), Memory(count: x.count, shift: 2))
      function.run(y.pointer, input.pointer, x.count)
      let faults = x.indices.lazy.compactMap { Self.fault(function, x[$0], y.pointer[$0]) }
      let fault = faults.first
      #expect(y.isIntact && fault == nil, "\(name)")
    }
  }

  /// An element in the tail of a vector has the same result as elsewhere, at every alignment.
  @Test(arguments: functions) func tailsEqualOtherElements(function: Function) {
    withEachInstructionSet { name in
      for count in counts {
        var values = Values(seed: count)
        let x = values.any(count)
        let y = Memory(x, shift: count % 4)
        function.run(y.pointer, y.pointer, count)
        #expect(y.isIntact, "\(count) elements, \(name)")
        for i in 0..<count {
          let row = Memory([Float](repeating: x[i], count: 16))
          function.run(row.pointer, row.pointer, 16)
          #expect(row.pointer[3].bitPattern == y.pointer[i].bitPattern || y.pointer[i].isNaN, "\(x[i]), \(name)")
        }
      }
    }
  }

  @Test(arguments: [false, true]) func softmax(isLogarithm: Bool) {
    withEachInstructionSet { name in
      for count in counts {
        var values = Values(seed: count)
        let x = values.whole(count, -30...30).map { $0 / 4 }
        let y = Memory(x, shift: count % 4)
        rk_softmax(y.pointer, y.pointer, isLogarithm ? 1 : 0, count)
        let sum = x.reduce(0.0) { $0 + exp(Double($1)) }
        let expected = x.map { isLogarithm ? Double($0) - log(sum) : exp(Double($0)) / sum }
        #expect(y.difference(from: expected, .within(4e-7)) == nil, "\(count) elements, \(name)")
      }
    }
  }

  @Test(arguments: [false, true]) func softmaxAdjoint(isLogarithm: Bool) {
    withEachInstructionSet { name in
      for count in counts {
        var values = Values(seed: count)
        let s = values.whole(count, -8...8)
        let y = values.whole(count, -8...8).map { isLogarithm ? $0 / 4 - 2 : $0 / 16 }
        let (seeds, results) = (Memory(s, shift: count % 4), Memory(y, shift: 1))
        let c = Memory(count: count, shift: 2)
        rk_softmax_adjoint(c.pointer, seeds.pointer, results.pointer, isLogarithm ? 1 : 0, count)
        let sum = zip(s, y).reduce(0.0) { $0 + Double($1.0) * (isLogarithm ? 1 : Double($1.1)) }
        let expected = zip(s, y).map { s, y in
          isLogarithm ? Double(s) - exp(Double(y)) * sum : Double(y) * (Double(s) - sum)
        }
        #expect(c.difference(from: expected, .within(4e-7)) == nil, "\(count) elements, \(name)")
      }
    }
  }
}
