import RelevanceKit
import RelevanceTestSupport
import Testing

/// Receptive fields of single layers with windows, compared with runs in which one input element changes. Weights are
/// positive and changes are large, so that everything that depends on an element changes.
@Suite struct WindowFieldTests {
  private static let windows = PoolingCase.all.filter { $0.extents.reduce(1, *) <= 200 }

  /// Compares all fields of a layer's positions with changes at all positions of its input.
  private static func check(_ operation: any RelevanceKit.Operator, channels: Int = 3, _ extents: [Int], _ name: String)
    throws
  {
    var builder = GraphBuilder(item: [channels] + extents)
    builder.add("layer", operation)
    guard let network = try? builder.network(), let fields = try? network.receptiveFields(of: "layer") else {
      return  // The window does not fit.
    }
    let input = Seeded.tensor(TensorShape([1, channels] + extents), seed: 3, low: 1, high: 2)
    let oracle = try PerturbedInputs(network, input)
    let positions = TensorShape(extents)
    let outputs = TensorShape(fields.extents)
    let masks = try (0..<outputs.count).map { try fields.field(at: outputs.coordinates(of: $0)) }
    for place in 0..<positions.count {
      let changed = (0..<channels).map { oracle.changed(by: $0 * positions.count + place, [{ $0 + 1000 }]) }
      for (output, field) in masks.enumerated() {
        let found = changed.contains { elements in
          stride(from: output, to: elements.count, by: outputs.count).contains { elements[$0] }
        }
        try #require(
          field.contains(positions.coordinates(of: place)) == found,
          "\(name): output \(outputs.coordinates(of: output)), input \(positions.coordinates(of: place))")
      }
    }
    for field in masks {
      let within = field.mask.indices.filter { field.mask[$0] }.map { positions.coordinates(of: $0) }
      #expect(within.count == field.count)
      for axis in extents.indices where !within.isEmpty {
        let indices = within.map { $0[axis] }
        #expect(field.bounds[axis] == indices.min()!..<indices.max()! + 1, "\(name)")
      }
      #expect(field.fillsBounds == (field.count == field.size.reduce(1, *)))
    }
  }

  private static func positive(_ shape: [Int]) -> Tensor {
    Seeded.tensor(TensorShape(shape), seed: 5, low: 0.5, high: 1)
  }

  @Test(arguments: windows) func pools(test: PoolingCase) throws {
    try Self.check(MaxPool(test.window), test.extents, "maximum, \(test)")
    try Self.check(AveragePool(window: test.window, countsPadding: false), test.extents, "mean, \(test)")
  }

  @Test(arguments: windows.filter { !$0.window.ceilMode }) func convolutions(test: PoolingCase) throws {
    let kernel = test.window.kernel
    let dense = Convolution(weight: Self.positive([2, 3] + kernel), bias: nil, window: test.window, groups: 1)
    try Self.check(dense, test.extents, "\(test)")
    let depthwise = Convolution(weight: Self.positive([6, 1] + kernel), bias: nil, window: test.window, groups: 3)
    try Self.check(depthwise, test.extents, "depthwise, \(test)")
  }

  @Test(arguments: [Padding.sameUpper, .sameLower]) func paddingThatFollowsTheExtents(padding: Padding) throws {
    for (kernel, stride, dilation) in [(3, 2, 1), (2, 1, 1), (4, 3, 1), (2, 2, 3)] {
      for extents in [[7, 8], [6, 5]] {
        let window = try Window(
          kernel: [kernel, kernel], strides: [stride, stride], dilations: [dilation, dilation], padding: padding)
        try Self.check(MaxPool(window), extents, "\(window)")
        let layer = Convolution(
          weight: Self.positive([2, 3, kernel, kernel]), bias: nil, window: window, groups: 1)
        try Self.check(layer, extents, "\(window)")
      }
    }
  }

  @Test(arguments: [1, 2, 3], [1, 2]) func transposedConvolutions(stride: Int, dilation: Int) throws {
    for (kernel, before, after, extra) in [
      ([3, 3], 0, 0, 0), ([3, 2], 1, 1, 0), ([4, 4], 1, 2, 1), ([2, 3], 0, 1, 1), ([1, 1], 0, 0, 0),
    ] where extra < max(stride, dilation) {
      for padding in [Padding.explicit(before: [before, before], after: [after, after]), .sameUpper, .sameLower] {
        for groups in [1, 3] {
          let window = try Window(
            kernel: kernel, strides: [stride, stride], dilations: [dilation, dilation], padding: padding)
          let layer = TransposedConvolution(
            weight: Self.positive([3, 2] + kernel), bias: nil, window: window, outputPadding: [extra, extra],
            groups: groups)
          try Self.check(layer, [4, 5], "\(window), \(extra) more, \(groups) groups")
        }
      }
    }
  }
}
