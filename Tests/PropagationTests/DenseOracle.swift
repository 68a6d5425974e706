import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rules computed by their definitions, over a dense matrix in double precision; it shares no code with the rules.
///
/// An entry of the matrix that is 0 means that the output does not depend on the input.
struct DenseOracle {
  let matrix: [[Double]]
  let bias: [Double]

  /// The result of a rule, and the absorbed relevance by cause.
  struct Outcome {
    var relevance: [Double]
    var bias = 0.0
    var stabilizer = 0.0
    var zero = 0.0
    /// For each output, the size of its denominators relative to the terms of their sums.
    var conditions: [Double] = []
  }

  /// The contributions of one output's inputs, the contribution of its bias, and the stabilizer of their sum.
  struct Shares {
    var contributions: [Double]
    var bias = 0.0
    var stabilizer = 0.0
    var factor = 1.0
    var distributesBias = false

    var denominator: Double { contributions.reduce(0, +) + bias }
  }

  /// `R_i = Σ_j f c_ij / (Σ_i' c_i'j + b_j + stabilizer) R_j`; an output whose denominator is 0 sends nothing.
  func redistribute(_ x: [Double], _ r: [Double], _ shares: ([Double], _ output: Int) -> [Shares]) -> Outcome {
    let (outputs, inputs) = (matrix.count, matrix[0].count)
    var outcome = Outcome(relevance: [Double](repeating: 0, count: x.count))
    for item in 0..<x.count / inputs {
      let values = Array(x[item * inputs..<(item + 1) * inputs])
      for output in 0..<outputs {
        var condition = 1.0
        defer { outcome.conditions.append(condition) }
        for group in shares(values, output) where group.factor != 0 {
          let arrived = r[item * outputs + output] * group.factor
          let z = group.denominator
          guard z != 0 else {
            outcome.zero += arrived
            continue
          }
          condition = min(condition, abs(z) / (group.contributions.reduce(abs(group.bias)) { $0 + abs($1) }))
          let stabilizer = z > 0 ? group.stabilizer : -group.stabilizer
          let s = arrived / (z + stabilizer)
          for input in 0..<inputs { outcome.relevance[item * inputs + input] += group.contributions[input] * s }
          outcome.stabilizer += stabilizer * s
          if group.distributesBias {
            let seen = matrix[output].indices.filter { matrix[output][$0] != 0 }
            for input in seen { outcome.relevance[item * inputs + input] += group.bias * s / Double(seen.count) }
          } else {
            outcome.bias += group.bias * s
          }
        }
      }
    }
    return outcome
  }

  private func shares(
    _ output: Int, _ treatment: BiasTreatment, stabilizer: Double, factor: Double = 1,
    bias: (Double) -> Double = { $0 }, _ contribution: (_ input: Int, _ weight: Double) -> Double
  ) -> Shares {
    Shares(
      contributions: matrix[output].enumerated().map { contribution($0, $1) },
      bias: treatment == .bypassed ? 0 : bias(self.bias[output]), stabilizer: stabilizer, factor: factor,
      distributesBias: treatment == .distributed)
  }

  /// `x w`
  func epsilon(_ x: [Double], _ r: [Double], _ epsilon: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in [shares(output, bias, stabilizer: epsilon) { x[$0] * $1 }] }
  }

  /// `x (w + γ w⁺)`
  func gamma(_ x: [Double], _ r: [Double], _ gamma: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in
      [
        shares(output, bias, stabilizer: 0, bias: { $0 + gamma * max($0, 0) }) {
          x[$0] * ($1 + gamma * max($1, 0))
        }
      ]
    }
  }

  /// `x w + γ (x w)^±`, with the sign of the output.
  func generalizedGamma(_ x: [Double], _ r: [Double], _ gamma: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in
      let y = zip(x, matrix[output]).reduce(self.bias[output]) { $0 + $1.0 * $1.1 }
      let favored = { (c: Double) in y >= 0 ? max(c, 0) : min(c, 0) }
      return [
        shares(output, bias, stabilizer: 0, bias: { $0 + gamma * favored($0) }) {
          x[$0] * $1 + gamma * favored(x[$0] * $1)
        }
      ]
    }
  }

  /// `(x w)⁺`: positive contributions only, of positive or negative inputs.
  func zPlus(_ x: [Double], _ r: [Double], _ bias: BiasTreatment = .bypassed) -> Outcome {
    redistribute(x, r) { x, output in
      [shares(output, bias, stabilizer: 1e-9, bias: { max($0, 0) }) { max(x[$0] * $1, 0) }]
    }
  }

  /// `α (x w)⁺` and `−β (x w)⁻`, each with its own denominator.
  func alphaBeta(_ x: [Double], _ r: [Double], _ alpha: Double, _ beta: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in
      [
        shares(output, bias, stabilizer: 1e-9, factor: alpha, bias: { max($0, 0) }) { max(x[$0] * $1, 0) },
        shares(output, bias, stabilizer: 1e-9, factor: -beta, bias: { min($0, 0) }) { min(x[$0] * $1, 0) },
      ]
    }
  }

  /// `w²`
  func wSquare(_ x: [Double], _ r: [Double], _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { _, output in [shares(output, bias, stabilizer: 0, bias: { $0 * $0 }) { $1 * $1 }] }
  }

  /// 1 for every input on which the output depends.
  func flat(_ x: [Double], _ r: [Double]) -> Outcome {
    redistribute(x, r) { _, output in [shares(output, .bypassed, stabilizer: 0) { $1 == 0 ? 0 : 1 }] }
  }

  /// Rule z^B: `x w − l w⁺ − h w⁻`, with the box of each input.
  func zBox(_ x: [Double], _ r: [Double], lower: [Double], upper: [Double]) -> Outcome {
    redistribute(x, r) { x, output in
      [
        shares(output, .bypassed, stabilizer: 1e-9) { input, weight in
          x[input] * weight - lower[input] * max(weight, 0) - upper[input] * min(weight, 0)
        }
      ]
    }
  }

  /// `W x + b` for each item.
  func output(_ x: [Double]) -> [Double] {
    let inputs = matrix[0].count
    return (0..<x.count / inputs).flatMap { item in
      matrix.indices.map { output in
        zip(x[item * inputs..<(item + 1) * inputs], matrix[output]).reduce(bias[output]) { $0 + $1.0 * $1.1 }
      }
    }
  }
}

extension RuleTable {
  /// A table with the given rows, with a pixel range if necessary.
  static func of(_ rows: Row..., pixelRange: PixelRange? = nil) -> RuleTable {
    RuleTable(name: "test", rows: rows, pixelRange: pixelRange)
  }
}
