import RelevanceKit
import RelevanceTestSupport
import Testing

/// The places of values in memory: predictions, which reuse places, have the same values as traces.
@Suite struct PlacementTests {
  /// Networks that concatenate operands in all ways in which places can be shared.
  enum Joined: String, CaseIterable, CustomTestStringConvertible {
    /// Two branches, each rectified, as in GoogLeNet.
    case branches
    /// A concatenation of concatenations, as in DenseNet.
    case nested
    /// One operand twice, which can have only one place.
    case twice
    /// An operand that is also used after the concatenation.
    case usedLater
    /// The result is rectified, and a third node uses parts of both signs unchanged.
    case rectifiedWhole
    /// The input is concatenated with values computed from it.
    case withInput
    /// An operand with another shape.
    case reshaped
    /// An operand whose axes were permuted and restored; with a single item no element moves.
    case turned

    var testDescription: String { rawValue }

    func network() throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [16, 12, 12])
      func convolution(
        _ name: String, _ inputs: Int, _ outputs: Int, _ operand: Node.ID, _ builder: inout GraphBuilder
      ) throws -> Node.ID {
        let seed = UInt64(name.utf8.reduce(0) { $0 * 31 + Int($1) } % 9973)
        return builder.add(
          name,
          try .seededConvolution(
            inputs: inputs, outputs: outputs, kernel: [3, 3],
            padding: .explicit(before: [1, 1], after: [1, 1]), seed: seed), operand)
      }
      let stem = builder.add("stem-relu", .relu, try convolution("stem", 16, 16, builder.input, &builder))
      let a = try convolution("a", 16, 17, stem, &builder)
      let b = try convolution("b", 16, 16, stem, &builder)
      var (top, channels): (Node.ID, Int)
      switch self {
      case .branches:
        let left = builder.add("a-relu", .relu, a)
        let right = builder.add("b-relu", .relu, b)
        (top, channels) = (builder.add("joined", .concat(axis: 1), left, right), 33)
      case .nested:
        let first = builder.add("first", .concat(axis: 1), a, stem)
        let more = try convolution("more", 33, 5, first, &builder)
        (top, channels) = (builder.add("joined", .concat(axis: -3), first, more, b), 54)
      case .twice:
        (top, channels) = (builder.add("joined", .concat(axis: 1), b, a, b), 49)
      case .usedLater:
        let joined = builder.add("joined", .concat(axis: 1), a, b)
        let narrow = try convolution("narrow", 33, 16, joined, &builder)
        (top, channels) = (builder.add("sum", .add, narrow, b), 16)
      case .rectifiedWhole:
        let joined = builder.add("joined", .concat(axis: 1), a, b)
        let rectified = builder.add("joined-relu", .relu, joined)
        let narrow = try convolution("narrow", 33, 16, rectified, &builder)
        (top, channels) = (builder.add("sum", .add, narrow, b), 16)
      case .withInput:
        (top, channels) = (builder.add("joined", .concat(axis: 1), builder.input, b), 32)
      case .reshaped:
        let dropped = builder.add("dropped", .dropout, a)
        (top, channels) = (builder.add("joined", .concat(axis: 1), dropped, b), 33)
      case .turned:
        let turned = builder.add("turned", .transpose(order: [1, 0, 2, 3]), a)
        let rectified = builder.add("turned-relu", .relu, turned)
        let back = builder.add("back", .transpose(order: [1, 0, 2, 3]), rectified)
        let joined = builder.add("joined", .concat(axis: 1), back, b)
        (top, channels) = (builder.add("both", .concat(axis: 1), joined, a), 50)
      }
      top = builder.add("late", try .seededConvolution(inputs: channels, outputs: 4, kernel: [1, 1], seed: 77), top)
      builder.add("flat", .flatten(axis: 1), top)
      builder.add("head", .seededLinear(inputs: 4 * 144, outputs: 3, seed: 78))
      return try builder.network()
    }
  }

  @Test(arguments: Joined.allCases, [1, 2])
  func predictionsAreThoseOfTraces(of joined: Joined, batch: Int) throws {
    let network = try joined.network()
    let x = Seeded.tensor([batch, 16, 12, 12], seed: 5)
    let executor = Executor(network, threads: 2)
    let trace = try executor.trace(x)
    // Twice, so that the second run starts with the memory of the first.
    for _ in 0..<2 { #expect(try executor.logits(x).bits == trace.value(of: network.logits).bits) }
    // The values of a trace are the results of each node for its operands' values.
    for id in network.graph.ids {
      guard network.graph[id].operation is Concat else { continue }
      let parts = network.graph[id].inputs.map { trace.value(of: $0) }
      let whole = trace.value(of: id)
      for item in 0..<batch {
        #expect(whole.item(item).elements == parts.flatMap { $0.item(item).elements }, "\(network.graph[id].name)")
      }
    }
  }

  /// A chain of equal layers needs the places of two layers, regardless of its length; a trace needs all.
  @Test func predictionsTakeLessMemoryThanTraces() throws {
    func memory(layers: Int) throws -> (prediction: Int, trace: Int) {
      var builder = GraphBuilder(item: [8, 20, 20])
      for layer in 0..<layers {
        builder.add(
          "conv\(layer)",
          try .seededConvolution(
            inputs: 8, outputs: 8, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]),
            seed: UInt64(layer)))
        builder.add("relu\(layer)", .relu)
      }
      builder.add("head", .mean(axes: [2, 3], keepsAxes: false))
      let executor = Executor(try builder.network(), threads: 1)
      let shape: TensorShape = [1, 8, 20, 20]
      return (try executor.predictionMemory(shape), try executor.plan(shape).memory)
    }
    let (short, long) = (try memory(layers: 3), try memory(layers: 12))
    #expect(long.prediction == short.prediction)
    #expect(long.trace == short.trace + 9 * 3200)
    #expect(long.prediction < 3 * 3200)
  }
}
