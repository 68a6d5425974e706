import RelevanceKit

/// Small networks with the typical ends of classifiers. Inputs are 3 × 12 × 12.
package enum SampleNetwork: String, CaseIterable, Sendable {
  /// Fully connected layers on flattened maps, as in AlexNet.
  case flattened
  /// Global average pooling and one fully connected layer, as in GoogLeNet; with branches, a residual sum and batch
  /// normalization.
  case branched
  /// A convolution to the classes, a rectifier and global average pooling, as in SqueezeNet.
  case pooled
  /// A fully connected head on values of both signs, without a rectifier before it.
  case signed

  /// The range of each channel of the input.
  package static let range = PixelRange(lower: [-1, -1.5, -2], upper: [2, 1.5, 1])

  /// A batch of inputs in this range.
  package static func input(batch: Int = 1, seed: UInt64 = 7) -> Tensor {
    let shape: TensorShape = [batch, 3, 12, 12]
    let u = Seeded.tensor(shape, seed: seed, low: 0, high: 1)
    return Tensor(
      shape: shape,
      elements: u.elements.enumerated().map { index, u in
        let channel = index / 144 % 3
        return range.lower[channel] + (range.upper[channel] - range.lower[channel]) * u
      })
  }

  /// The network. If `negating` is given, the weights of the head for that class are negated.
  package func network(negating target: Int? = nil) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 12, 12])
    builder.add("conv1", try .seededConvolution(inputs: 3, outputs: 6, kernel: [3, 3], padding: Self.ones, seed: 1))
    let stem = builder.add("relu1", .relu)
    switch self {
    case .flattened:
      builder.add("pool", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])))
      builder.add("conv2", try .seededConvolution(inputs: 6, outputs: 8, kernel: [3, 3], seed: 2))
      builder.add("relu2", .relu)
      builder.add("flatten", .flatten(axis: 1))
      builder.add("fc", .seededLinear(inputs: 128, outputs: 20, seed: 3))
      builder.add("relu3", .relu)
      builder.add("head", Self.head(inputs: 20, negating: target))
    case .signed:
      builder.add("pool", .maxPool(try Window(kernel: [3, 3], strides: [3, 3])))
      builder.add("conv2", try .seededConvolution(inputs: 6, outputs: 8, kernel: [3, 3], seed: 2))
      builder.add("bn", Self.batchNormalization(channels: 8))
      builder.add("flatten", .flatten(axis: 1))
      builder.add("head", Self.head(inputs: 32, negating: target))
    case .branched:
      let a = builder.add("a", try .seededConvolution(inputs: 6, outputs: 5, kernel: [1, 1], seed: 2), stem)
      let rectifiedA = builder.add("reluA", .relu, a)
      let b = builder.add(
        "b", try .seededConvolution(inputs: 6, outputs: 4, kernel: [3, 3], padding: Self.ones, bias: false, seed: 3),
        stem)
      let normalized = builder.add("bn", Self.batchNormalization(channels: 4), b)
      let rectifiedB = builder.add("reluB", .relu, normalized)
      let joined = builder.add("join", .concat(axis: 1), rectifiedA, rectifiedB)
      let c = builder.add(
        "c", try .seededConvolution(inputs: 9, outputs: 9, kernel: [3, 3], padding: Self.ones, seed: 4), joined)
      let rectifiedC = builder.add("reluC", .relu, c)
      let sum = builder.add("sum", .add, joined, rectifiedC)
      builder.add("gap", .mean(axes: [2, 3], keepsAxes: true), sum)
      builder.add("flatten", .flatten(axis: 1))
      builder.add("head", Self.head(inputs: 9, negating: target))
    case .pooled:
      builder.add("conv2", try .seededConvolution(inputs: 6, outputs: 8, kernel: [3, 3], strides: [2, 2], seed: 2))
      builder.add("relu2", .relu)
      builder.add("head", try .seededConvolution(inputs: 8, outputs: 7, kernel: [1, 1], bias: false, seed: 5))
      builder.add("reluHead", .relu)
      builder.add("gap", .mean(axes: [2, 3], keepsAxes: true))
      builder.add("flatten", .flatten(axis: 1))
    }
    return try builder.network()
  }

  /// An explainer with the default table.
  package func explainer(threads: Int? = nil) throws -> Explainer {
    try Explainer(network(), rules: .default(pixelRange: Self.range), threads: threads)
  }

  private static let ones = Padding.explicit(before: [1, 1], after: [1, 1])

  private static func head(inputs: Int, negating target: Int?) -> any RelevanceKit.Operator {
    var weight = Seeded.tensor([7, inputs], seed: 5)
    if let target { for i in 0..<inputs { weight[target, i] *= -1 } }
    return .linear(Linear(weight: weight, bias: Seeded.tensor([7], seed: 6)))
  }

  private static func batchNormalization(channels: Int) -> any RelevanceKit.Operator {
    let shape: TensorShape = [channels]
    return .batchNormalization(
      BatchNormalization(
        gamma: Seeded.tensor(shape, seed: 4, low: 0.5, high: 1.5), beta: Seeded.tensor(shape, seed: 5, low: 0, high: 1),
        mean: Seeded.tensor(shape, seed: 6), variance: Seeded.tensor(shape, seed: 7, low: 0.5, high: 1.5), epsilon: 1e-5
      ))
  }
}
