import RelevanceKit
import TestSupport
import Testing

/// Redistribution by its definitions, over a dense matrix in double precision; shares no code with the rules.
///
/// An entry of the matrix that is 0 is an input that the output does not see.
struct DenseOracle {
  let matrix: [[Double]]
  let bias: [Double]

  /// What a rule makes of relevance, and what stays behind for which reason.
  struct Outcome {
    var relevance: [Double]
    var bias = 0.0
    var stabiliser = 0.0
    var zero = 0.0
    /// For each output how large its denominators are beside what they are sums of.
    var conditions: [Double] = []
  }

  /// What the inputs of one output contribute; what its bias contributes; what is added to their sum.
  struct Shares {
    var contributions: [Double]
    var bias = 0.0
    var stabiliser = 0.0
    var factor = 1.0
    var distributesBias = false

    var denominator: Double { contributions.reduce(0, +) + bias }
  }

  /// `R_i = Σ_j f c_ij / (Σ_i' c_i'j + b_j + stabiliser) R_j`; an output whose denominator is 0 sends nothing.
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
          let stabiliser = z > 0 ? group.stabiliser : -group.stabiliser
          let s = arrived / (z + stabiliser)
          for input in 0..<inputs { outcome.relevance[item * inputs + input] += group.contributions[input] * s }
          outcome.stabiliser += stabiliser * s
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
    _ output: Int, _ treatment: BiasTreatment, stabiliser: Double, factor: Double = 1,
    bias: (Double) -> Double = { $0 }, _ contribution: (_ input: Int, _ weight: Double) -> Double
  ) -> Shares {
    Shares(
      contributions: matrix[output].enumerated().map { contribution($0, $1) },
      bias: treatment == .bypassed ? 0 : bias(self.bias[output]), stabiliser: stabiliser, factor: factor,
      distributesBias: treatment == .distributed)
  }

  /// `x w`
  func epsilon(_ x: [Double], _ r: [Double], _ epsilon: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in [shares(output, bias, stabiliser: epsilon) { x[$0] * $1 }] }
  }

  /// `x (w + γ w⁺)`
  func gamma(_ x: [Double], _ r: [Double], _ gamma: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in
      [
        shares(output, bias, stabiliser: 0, bias: { $0 + gamma * max($0, 0) }) {
          x[$0] * ($1 + gamma * max($1, 0))
        }
      ]
    }
  }

  /// `x w + γ (x w)^±`, with the sign of the output.
  func generalisedGamma(_ x: [Double], _ r: [Double], _ gamma: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in
      let y = zip(x, matrix[output]).reduce(self.bias[output]) { $0 + $1.0 * $1.1 }
      let favoured = { (c: Double) in y >= 0 ? max(c, 0) : min(c, 0) }
      return [
        shares(output, bias, stabiliser: 0, bias: { $0 + gamma * favoured($0) }) {
          x[$0] * $1 + gamma * favoured(x[$0] * $1)
        }
      ]
    }
  }

  /// `(x w)⁺`: positive contributions only, whether of positive inputs or of negative ones.
  func zPlus(_ x: [Double], _ r: [Double], _ bias: BiasTreatment = .bypassed) -> Outcome {
    redistribute(x, r) { x, output in
      [shares(output, bias, stabiliser: 1e-9, bias: { max($0, 0) }) { max(x[$0] * $1, 0) }]
    }
  }

  /// `α (x w)⁺` and `−β (x w)⁻`, each by itself.
  func alphaBeta(_ x: [Double], _ r: [Double], _ alpha: Double, _ beta: Double, _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { x, output in
      [
        shares(output, bias, stabiliser: 1e-9, factor: alpha, bias: { max($0, 0) }) { max(x[$0] * $1, 0) },
        shares(output, bias, stabiliser: 1e-9, factor: -beta, bias: { min($0, 0) }) { min(x[$0] * $1, 0) },
      ]
    }
  }

  /// `w²`
  func wSquare(_ x: [Double], _ r: [Double], _ bias: BiasTreatment) -> Outcome {
    redistribute(x, r) { _, output in [shares(output, bias, stabiliser: 0, bias: { $0 * $0 }) { $1 * $1 }] }
  }

  /// 1 for every input that the output sees.
  func flat(_ x: [Double], _ r: [Double]) -> Outcome {
    redistribute(x, r) { _, output in [shares(output, .bypassed, stabiliser: 0) { $1 == 0 ? 0 : 1 }] }
  }

  /// Rule z^B: `x w − l w⁺ − h w⁻`, with the box of each input.
  func zBox(_ x: [Double], _ r: [Double], lower: [Double], upper: [Double]) -> Outcome {
    redistribute(x, r) { x, output in
      [
        shares(output, .bypassed, stabiliser: 1e-9) { input, weight in
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

/// A weighted layer on items of some extents.
struct LayerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let item: [Int]
  let operation: any RelevanceKit.Operator

  var testDescription: String { name }

  /// The layer as a matrix.
  var oracle: DenseOracle {
    let matrix = matrix
    let bias: [Double] =
      switch operation {
      case let convolution as Convolution: Self.spread(convolution.bias, over: matrix.count)
      case let convolution as TransposedConvolution: Self.spread(convolution.bias, over: matrix.count)
      case let linear as Linear: Self.spread(linear.bias, over: matrix.count)
      case let parameters as BatchNormalization: Self.spread(parameters.shift, over: matrix.count)
      default: Self.spread(nil, over: matrix.count)
      }
    return DenseOracle(matrix: matrix, bias: bias)
  }

  private static func spread(_ bias: Tensor?, over outputs: Int) -> [Double] {
    guard let bias = bias?.doubles else { return [Double](repeating: 0, count: outputs) }
    return (0..<outputs).map { bias[$0 / (outputs / bias.count)] }
  }

  /// The layer's matrix without biases.
  var matrix: [[Double]] {
    switch operation {
    case let convolution as Convolution: return NaiveConvolution(convolution, item: item).matrix()
    case let linear as Linear: return NaiveConvolution(linear).matrix()
    case let transposed as TransposedConvolution:
      // The rows of a convolution from the larger map to the smaller one are this one's columns.
      let convolution = Convolution(
        weight: transposed.weight, bias: nil, window: transposed.window, groups: transposed.groups)
      let rows = NaiveConvolution(convolution, item: Self.largerItem).matrix()
      return rows[0].indices.map { column in rows.map { $0[column] } }
    case let pool as AveragePool:
      let naive = NaivePooling(pool.window, extents: Array(item.dropFirst()))
      let outputs = item[0] * naive.outputExtents.reduce(1, *)
      // Relevance goes to what is inside the input alone, so what padding is counted for does not matter.
      let adjoints = (0..<outputs).map { output in
        naive.averageAdjoint((0..<outputs).map { $0 == output ? 1 : 0 }, countsPadding: false)
      }
      return adjoints
    case is Mean:
      let plane = item.dropFirst().reduce(1, *)
      return (0..<item[0]).map { channel in
        (0..<item[0] * plane).map { $0 / plane == channel ? 1 / Double(plane) : 0 }
      }
    case let parameters as BatchNormalization:
      let plane = item.dropFirst().reduce(1, *)
      let scale = parameters.scale.doubles
      return (0..<item[0] * plane).map { output in
        (0..<item[0] * plane).map { $0 == output ? scale[output / plane] : 0 }
      }
    default: preconditionFailure("not a weighted layer")
    }
  }

  /// What the transposed convolutions make of their items.
  private static let largerItem = [6, 7, 8]

  /// A network of the layer, behind the given nodes.
  func network(behind nodes: [any RelevanceKit.Operator] = []) throws -> Network {
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
          let operation = try? Convolution.seededConvolution(
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
    let large = try? Convolution.seededConvolution(
      inputs: 16, outputs: 16, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), seed: 23)
    cases.append(LayerCase(name: "conv 16 to 16 channels on 13×14", item: [16, 13, 14], operation: large!))
    return cases
  }()

  /// Depthwise and transposed convolutions, averages, and batch normalisation.
  static let others: [LayerCase] = {
    var cases: [LayerCase] = []
    let ones = Padding.explicit(before: [1, 1], after: [1, 1])
    for bias in [false, true] {
      let depthwise = try? Convolution.seededConvolution(
        inputs: 4, outputs: 8, kernel: [3, 3], padding: ones, groups: 4, bias: bias, seed: 24)
      cases.append(LayerCase(name: "depthwise, bias \(bias)", item: [4, 6, 7], operation: depthwise!))
    }
    for (strides, groups, bias) in [([1, 1], 1, false), ([2, 2], 1, true), ([2, 1], 2, true)] {
      let window = try? Window(kernel: [3, 2], strides: strides, padding: .explicit(before: [1, 0], after: [1, 1]))
      let smaller = NaiveConvolution(
        Convolution(
          weight: Tensor(shape: [4, 6 / groups, 3, 2]), bias: nil, window: window!, groups: groups),
        item: largerItem
      ).outputItem
      // What strides leave over at the end of the larger map.
      let spare = zip(zip(largerItem.dropFirst(), smaller.dropFirst()), zip(strides, zip([3, 2], [2, 1]))).map {
        extents, geometry in
        extents.0 - ((extents.1 - 1) * geometry.0 + geometry.1.0 - geometry.1.1)
      }
      let operation = TransposedConvolution(
        weight: Seeded.tensor([4, 6 / groups, 3, 2], seed: 25),
        bias: bias ? Seeded.tensor([6], seed: 26) : nil, window: window!, outputPadding: spare, groups: groups)
      cases.append(
        LayerCase(
          name: "transposed, strides \(strides), groups \(groups), bias \(bias)", item: smaller,
          operation: .transposedConvolution(operation)))
    }
    let pool = try? Window(kernel: [3, 2], strides: [2, 2], padding: .explicit(before: [1, 0], after: [1, 0]))
    for counts in [false, true] {
      cases.append(
        LayerCase(
          name: "average pool, counts padding \(counts)", item: [4, 6, 7],
          operation: .averagePool(AveragePool(window: pool!, countsPadding: counts))))
    }
    cases.append(
      LayerCase(name: "global average", item: [4, 6, 7], operation: .mean(Mean(axes: [2, 3], keepsAxes: true))))
    let normalization = BatchNormalization(
      scale: Seeded.tensor([4], seed: 27, low: -2, high: 2), shift: Seeded.tensor([4], seed: 28))
    cases.append(
      LayerCase(name: "batch normalisation", item: [4, 3, 5], operation: .batchNormalization(normalization)))
    return cases
  }()
}

extension RuleTable {
  /// A table of some rows, with a pixel range if one is needed.
  static func of(_ rows: Row..., pixelRange: PixelRange? = nil) -> RuleTable {
    RuleTable(name: "test", rows: rows, pixelRange: pixelRange)
  }
}
