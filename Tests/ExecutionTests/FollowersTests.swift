import RelevanceKit
import RelevanceTestSupport
import Testing

/// Elementwise functions that are computed part by part after other nodes: their values equal those of each node
/// computed alone, whether all values are kept or only the logits.
@Suite struct FollowersTests {
  /// The operator whose values the functions use.
  enum Head: String, CaseIterable, CustomTestStringConvertible {
    case pointwise, windows, winograd, depthwise, image, transposed, linear, rows, normalization, pooling, functions

    var testDescription: String { rawValue }

    func builder() throws -> GraphBuilder {
      let same = Padding.explicit(before: [1, 1], after: [1, 1])
      var builder = GraphBuilder(
        item: self == .linear ? [40] : self == .rows ? [30, 40] : [self == .image ? 3 : 24, 17, 19])
      func convolution(_ inputs: Int, _ outputs: Int, _ kernel: Int, groups: Int = 1) throws -> Convolution {
        try .seededConvolution(
          inputs: inputs, outputs: outputs, kernel: [kernel, kernel], padding: kernel == 1 ? nil : same, groups: groups,
          seed: 3)
      }
      switch self {
      case .pointwise: builder.add("head", try convolution(24, 70, 1))
      case .windows:
        builder.add("head", try .seededConvolution(inputs: 24, outputs: 30, kernel: [3, 3], strides: [2, 2], seed: 3))
      case .winograd: builder.add("head", try convolution(24, 40, 3))
      case .depthwise: builder.add("head", try convolution(24, 24, 3, groups: 24))
      case .image: builder.add("head", try convolution(3, 20, 3))
      case .transposed:
        builder.add(
          "head",
          TransposedConvolution(
            weight: Seeded.tensor([24, 12, 2, 2], seed: 3), bias: Seeded.tensor([12], seed: 4),
            window: try Window(kernel: [2, 2], strides: [2, 2]), outputPadding: [0, 0], groups: 1))
      case .linear, .rows: builder.add("head", .seededLinear(inputs: 40, outputs: 50, seed: 3))
      case .normalization:
        builder.add(
          "head", BatchNormalization(scale: Seeded.tensor([24], seed: 3), shift: Seeded.tensor([24], seed: 4)))
      case .pooling: builder.add("head", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])))
      case .functions: builder.add("head", Sigmoid())
      }
      return builder
    }
  }

  /// A network with functions after the head, and a value of an earlier node that they also use.
  private static func network(_ head: Head, seed: UInt64) throws -> NeuralNetwork {
    var builder = try head.builder()
    let top = Node.ID(builder.count - 1)
    let shape = try builder.network().analysis(forInput: input(head).shape).shapes[top.index]
    var random = SplitMix64(state: seed)
    var values = [top]
    for number in 0..<Int.random(in: 1...9, using: &random) {
      let a = values.randomElement(using: &random)!
      let name = "f\(number)"
      switch Int.random(in: 0..<9, using: &random) {
      case 0: builder.add(name, Sigmoid(), a)
      case 1: builder.add(name, .relu, a)
      case 2: builder.add(name, Clip(lowest: -0.5, highest: 0.75), a)
      case 3: builder.add(name, Gelu(approximate: false), a)
      // A function without a loop in C.
      case 4: builder.add(name, Sine(), a)
      case 5: builder.add(name, .add, a, values.randomElement(using: &random)!)
      case 6: builder.add(name, Multiply(), values.randomElement(using: &random)!, a)
      default:
        // Constants that repeat along some axes, all axes, or none.
        let extents = shape.dimensions.enumerated().map { $0 == 0 || Bool.random(using: &random) ? 1 : $1 }
        let constant = builder.constant(
          "\(name)-constant", Seeded.tensor(TensorShape(extents), seed: seed + UInt64(number)))
        let isFirst = Bool.random(using: &random)
        let operation: any RelevanceKit.Operator = Bool.random(using: &random) ? Subtract() : Multiply()
        builder.add(name, operation, isFirst ? constant : a, isFirst ? a : constant)
      }
      values.append(Node.ID(builder.count - 1))
    }
    // A sum of two values, as the last node.
    builder.add("end", .add, values.last!, values.randomElement(using: &random)!)
    return try builder.network()
  }

  private static func input(_ head: Head) -> Tensor {
    switch head {
    case .linear: Seeded.tensor([2, 40], seed: 9)
    case .rows: Seeded.tensor([2, 30, 40], seed: 9)
    case .image: Seeded.tensor([2, 3, 17, 19], seed: 9)
    default: Seeded.tensor([2, 24, 17, 19], seed: 9)
    }
  }

  @Test(arguments: Head.allCases) func equalEachNodeComputedAlone(head: Head) throws {
    for seed in 0..<40 {
      let network = try Self.network(head, seed: UInt64(seed))
      let input = Self.input(head)
      for convolution in ConvolutionAlgorithm.allCases {
        let executor = Executor(network, threads: 2, convolution: convolution)
        let trace = try executor.trace(input)
        for id in network.graph.ids {
          guard let kernel = trace.kernel(of: id) else { continue }
          #expect(trace.value(of: id) == trace.value(of: id, by: kernel), "\(network.graph[id].name), seed \(seed)")
        }
        #expect(try executor.logits(input) == trace.value(of: network.logits), "seed \(seed)")
      }
    }
  }

  @Test func innerValuesNeedNoMemory() throws {
    var builder = GraphBuilder(item: [24, 16, 16])
    let head = builder.add("head", try .seededConvolution(inputs: 24, outputs: 32, kernel: [1, 1], seed: 3))
    let gate = builder.add("gate", Sigmoid(), head)
    builder.add("gated", Multiply(), head, gate)
    let executor = Executor(try builder.network(), threads: 1)
    #expect(try executor.predictionMemory([1, 24, 16, 16]) == 32 * 16 * 16)
  }
}
