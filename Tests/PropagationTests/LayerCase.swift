import RelevanceKit
import RelevanceTestSupport
import Testing

/// A weighted layer and the extents of its items.
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
      // The rows of a convolution from the larger map to the smaller one are the columns of the transposed convolution.
      let convolution = Convolution(
        weight: transposed.weight, bias: nil, window: transposed.window, groups: transposed.groups)
      let rows = NaiveConvolution(convolution, item: Self.largerItem).matrix()
      return rows[0].indices.map { column in rows.map { $0[column] } }
    case let pool as AveragePool:
      let naive = NaivePooling(pool.window, extents: Array(item.dropFirst()))
      let outputs = item[0] * naive.outputExtents.reduce(1, *)
      // Only elements inside the input receive relevance, so counting padding makes no difference.
      let adjoints = (0..<outputs).map { output in
        naive.averageAdjoint((0..<outputs).map { $0 == output ? 1 : 0 }, countsPadding: false)
      }
      return adjoints
    case let reduction as Reduction where reduction.function == .mean:
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

  /// The output extents of the transposed convolutions.
  private static let largerItem = [6, 7, 8]

  /// A network with the layer after the given nodes.
  func network(behind nodes: [any RelevanceKit.Operator] = []) throws -> NeuralNetwork {
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

  /// Depthwise and transposed convolutions, averages, and batch normalization.
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
      // The remainder of the strides at the end of the larger map.
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
      LayerCase(name: "global average", item: [4, 6, 7], operation: .mean(axes: [2, 3], keepsAxes: true)))
    let normalization = BatchNormalization(
      scale: Seeded.tensor([4], seed: 27, low: -2, high: 2), shift: Seeded.tensor([4], seed: 28))
    cases.append(
      LayerCase(name: "batch normalization", item: [4, 3, 5], operation: .batchNormalization(normalization)))
    return cases
  }()
}
