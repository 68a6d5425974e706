import RelevanceKit
import TestSupport
import Testing

/// Redistribution by its definition, over a dense matrix in double precision; shares no code with the rules.
enum DenseOracle {
  /// `R_i = Σ_j t_ij / (Σ_i' t_i'j + stabiliser) · R_j` for each item, where `contribution` gives t for weight and input; an
  /// output whose contributions sum to 0 sends nothing.
  static func redistribute(
    _ matrix: [[Double]], x: [Double], r: [Double], stabiliser: Double,
    contribution: (_ input: Int, _ x: Double, _ weight: Double) -> Double
  ) -> [Double] {
    let (outputs, inputs) = (matrix.count, matrix[0].count)
    var result = [Double](repeating: 0, count: x.count)
    for item in 0..<x.count / inputs {
      for (output, row) in matrix.enumerated() {
        let terms = row.enumerated().map { contribution($0, x[item * inputs + $0], $1) }
        let sum = terms.reduce(0, +)
        guard sum != 0 else { continue }
        let share = r[item * outputs + output] / (sum + stabiliser)
        for (input, term) in terms.enumerated() { result[item * inputs + input] += term * share }
      }
    }
    return result
  }

  /// Rule z⁺: positive contributions only, whether of positive inputs or of negative ones.
  static func zPlus(_ matrix: [[Double]], x: [Double], r: [Double]) -> [Double] {
    redistribute(matrix, x: x, r: r, stabiliser: 1e-9) { _, x, weight in
      max(x, 0) * max(weight, 0) + min(x, 0) * min(weight, 0)
    }
  }

  /// Rule z^B: `x w − l w⁺ − h w⁻`, with the box of each input.
  static func zBox(_ matrix: [[Double]], x: [Double], r: [Double], lower: [Double], upper: [Double]) -> [Double] {
    redistribute(matrix, x: x, r: r, stabiliser: 1e-9) { input, x, weight in
      x * weight - lower[input] * max(weight, 0) - upper[input] * min(weight, 0)
    }
  }
}

/// A weighted layer on items of some extents.
struct LayerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let item: [Int]
  let operation: RelevanceKit.Operator

  var testDescription: String { name }

  /// The layer's matrix without biases.
  var matrix: [[Double]] {
    switch operation {
    case .convolution(let convolution): NaiveConvolution(convolution, item: item).matrix()
    case .linear(let linear): NaiveConvolution(linear).matrix()
    default: preconditionFailure("not a weighted layer")
    }
  }

  /// A network of the layer, behind the given nodes.
  func network(behind nodes: [RelevanceKit.Operator] = []) throws -> Network {
    var builder = GraphBuilder(item: item)
    for (index, operation) in nodes.enumerated() { builder.add("before\(index)", operation) }
    builder.add("layer", operation)
    return try builder.network()
  }

  /// Geometries × groups × biases, and fully connected layers.
  static let all: [LayerCase] = {
    var cases: [LayerCase] = []
    for (kernel, strides, dilations, pads) in [
      ([3, 3], [1, 1], [1, 1], [1, 1]), ([3, 3], [2, 2], [1, 1], [0, 1]), ([1, 1], [1, 1], [1, 1], [0, 0]),
      ([2, 3], [1, 2], [2, 1], [2, 0]), ([5, 4], [3, 1], [1, 1], [2, 2]),
    ] {
      for groups in [1, 2] {
        for bias in [false, true] {
          let operation = try? RelevanceKit.Operator.seededConvolution(
            inputs: 4, outputs: 6, kernel: kernel, strides: strides, dilations: dilations,
            padding: .explicit(before: pads, after: pads), groups: groups, bias: bias, seed: 21)
          cases.append(
            LayerCase(
              name:
                "conv \(kernel), strides \(strides), dilations \(dilations), pads \(pads), groups \(groups), bias \(bias)",
              item: [4, 6, 7], operation: operation!))
        }
      }
    }
    for bias in [false, true] {
      cases.append(
        LayerCase(
          name: "fully connected, bias \(bias)", item: [4],
          operation: .seededLinear(inputs: 4, outputs: 5, bias: bias, seed: 22)))
    }
    // Large enough for Winograd's transforms.
    let large = try? RelevanceKit.Operator.seededConvolution(
      inputs: 16, outputs: 16, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), seed: 23)
    cases.append(LayerCase(name: "conv 16 to 16 channels on 13×14", item: [16, 13, 14], operation: large!))
    return cases
  }()
}

extension RuleTable {
  /// A table of some rows, with a pixel range if one is needed.
  static func of(_ rows: Row..., pixelRange: PixelRange? = nil) -> RuleTable {
    RuleTable(name: "test", rows: rows, pixelRange: pixelRange)
  }
}
