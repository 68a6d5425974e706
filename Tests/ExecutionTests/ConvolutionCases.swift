import RelevanceKit
import RelevanceTestSupport
import Testing

/// A convolution and the extents of its input.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var batch = 1
  var inputs = 4
  var outputs = 6
  var groups = 1
  var kernel = [3, 3]
  var strides = [1, 1]
  var dilations = [1, 1]
  var before = [0, 0]
  var after = [0, 0]
  var extents = [7, 9]
  var algorithm = ConvolutionAlgorithm.automatic

  var testDescription: String {
    "\(batch)×\(inputs)×\(extents) to \(outputs) channels, kernel \(kernel), groups \(groups), strides \(strides), "
      + "dilations \(dilations), pads \(before) \(after), \(algorithm)"
  }

  /// Whether at least one window fits.
  var fits: Bool {
    kernel.indices.allSatisfy { (kernel[$0] - 1) * dilations[$0] < extents[$0] + before[$0] + after[$0] }
  }

  /// The convolution, without a bias if the number of outputs is odd or the convolution is depthwise.
  var operation: any RelevanceKit.Operator {
    get throws {
      try .seededConvolution(
        inputs: inputs, outputs: outputs, kernel: kernel, strides: strides, dilations: dilations,
        padding: .explicit(before: before, after: after), groups: groups, bias: outputs % 2 == 0 && groups < inputs,
        seed: 11)
    }
  }

  var input: TensorShape { TensorShape([batch, inputs] + extents) }

  /// All combinations of geometry on small maps, from a single pixel to a map with several tiles.
  static let geometries: [ConvolutionCase] = {
    var cases: [ConvolutionCase] = []
    for (groups, outputs) in [(1, 5), (2, 6), (4, 8)] {
      for kernel in [[1, 1], [3, 3], [2, 3], [5, 1]] {
        for strides in [[1, 1], [2, 2], [3, 1]] {
          for (before, after) in [([0, 0], [0, 0]), ([1, 1], [1, 1]), ([2, 0], [1, 3])] {
            for dilations in [[1, 1], [2, 1]] where dilations == [1, 1] || kernel != [1, 1] {
              for extents in [[1, 1], [4, 6], [13, 17]] {
                let one = ConvolutionCase(
                  batch: extents == [4, 6] ? 2 : 1, outputs: outputs, groups: groups, kernel: kernel, strides: strides,
                  dilations: dilations, before: before, after: after, extents: extents)
                if one.fits { cases.append(one) }
              }
            }
          }
        }
      }
    }
    return cases
  }()

  /// Typical sizes and channel counts of networks: maps with one tile and with several, odd numbers of channels, and
  /// both divisions of a map.
  static let sizes: [ConvolutionCase] = ConvolutionAlgorithm.allCases.flatMap { algorithm in
    shapes.map { one in
      var one = one
      one.algorithm = algorithm
      return one
    }
  }

  private static let shapes: [ConvolutionCase] =
    [(7, 64, 64), (14, 32, 48), (14, 17, 33), (28, 16, 40), (28, 64, 16), (56, 16, 16), (5, 130, 129)].map {
      side, inputs, outputs in
      ConvolutionCase(inputs: inputs, outputs: outputs, before: [1, 1], after: [1, 1], extents: [side, side])
    } + [
      ConvolutionCase(batch: 2, inputs: 16, outputs: 24, before: [1, 1], after: [1, 1], extents: [28, 27]),
      ConvolutionCase(batch: 3, inputs: 16, outputs: 16, extents: [10, 31]),
      ConvolutionCase(inputs: 32, outputs: 32, groups: 2, before: [1, 1], after: [1, 1], extents: [14, 14]),
      // Maps with many tiles, in complete rows or in a single row, and several items with few tiles.
      ConvolutionCase(inputs: 16, outputs: 80, before: [1, 1], after: [1, 1], extents: [66, 67]),
      ConvolutionCase(batch: 2, inputs: 17, outputs: 18, before: [1, 0], after: [1, 2], extents: [90, 70]),
      ConvolutionCase(inputs: 16, outputs: 16, before: [1, 1], after: [1, 1], extents: [9, 500]),
      ConvolutionCase(batch: 18, inputs: 16, outputs: 16, before: [1, 1], after: [1, 1], extents: [14, 15]),
      ConvolutionCase(inputs: 32, outputs: 32, groups: 2, before: [1, 1], after: [1, 1], extents: [70, 70]),
      ConvolutionCase(inputs: 16, outputs: 16, before: [1, 1], after: [1, 1], extents: [11, 13]),
      ConvolutionCase(
        inputs: 3, outputs: 16, kernel: [7, 7], strides: [2, 2], before: [3, 3], after: [3, 3], extents: [57, 56]),
      ConvolutionCase(
        inputs: 3, outputs: 16, kernel: [11, 11], strides: [4, 4], before: [2, 2], after: [2, 2], extents: [63, 63]),
      ConvolutionCase(batch: 2, inputs: 24, outputs: 130, kernel: [1, 1], extents: [9, 9]),
      ConvolutionCase(inputs: 16, outputs: 16, kernel: [1, 1], extents: [30, 31]),
      ConvolutionCase(inputs: 16, outputs: 8, kernel: [5, 5], before: [2, 2], after: [2, 2], extents: [28, 28]),
      ConvolutionCase(inputs: 16, outputs: 16, before: [2, 2], after: [2, 2], extents: [12, 12]),
      ConvolutionCase(inputs: 16, outputs: 16, dilations: [2, 2], before: [2, 2], after: [2, 2], extents: [14, 14]),
      // A frame that is cut off by negative pads, which ONNX allows.
      ConvolutionCase(before: [-1, -2], after: [-1, 0], extents: [9, 12]),
    ]

  /// A map with a single, long row of 4×4 tiles.
  static let flat = ConvolutionCase(inputs: 16, outputs: 16, before: [1, 1], after: [1, 1], extents: [4, 1100])

  /// Sequences, with one spatial axis.
  static let sequences: [ConvolutionCase] = [
    ConvolutionCase(batch: 2, kernel: [3], strides: [1], dilations: [1], before: [1], after: [1], extents: [17]),
    ConvolutionCase(kernel: [4], strides: [2], dilations: [3], before: [2], after: [5], extents: [600]),
  ]

  static let all = geometries + sizes + sequences
}
