import RelevanceExecution
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks for predictions compute the logits of the original networks, with fewer products and copies.
@Suite struct PredictionNetworkTests {
  /// How often each step changed a network.
  private struct Changes {
    var narrowed = 0
    var copies = 0
    var attentions = 0

    init() {}

    init(_ network: NeuralNetwork, input shape: TensorShape) throws {
      let prediction = try network.forPredictions(input: shape)
      let graph = prediction.network.graph
      let found = try prediction.network.analysis(forInput: shape).shapes
      let original = try network.analysis(forInput: shape).shapes
      for id in graph.ids {
        let operation = graph[id].operation
        if operation is StridedCopy { copies += 1 }
        if operation is FusedAttention { attentions += 1 }
        if operation is Linear, found[id.index].count < original[prediction.origins[id.index].index].count {
          narrowed += 1
        }
      }
    }

    static func += (a: inout Changes, b: Changes) {
      a.narrowed += b.narrowed
      a.copies += b.copies
      a.attentions += b.attentions
    }
  }

  /// Traces keep all values, and therefore run the original network.
  @Test(arguments: [1, 2]) func randomNetworks(threads: Int) throws {
    var changes = Changes()
    for seed in 1...400 as ClosedRange<UInt64> {
      let random = RandomTokenNetwork(seed: seed)
      let network = try random.network()
      changes += try Changes(network, input: random.inputShape)
      let executor = Executor(network, threads: threads)
      let x = Seeded.tensor(random.inputShape, seed: seed)
      let expected = try executor.trace(x).value(of: network.logits)
      let found = try executor.logits(x)
      #expect(found.shape == expected.shape, "seed \(seed)")
      guard found.shape == expected.shape else { continue }
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "seed \(seed)")
    }
    // The sweep reaches every step.
    #expect(changes.narrowed >= 100)
    #expect(changes.copies >= 40)
    #expect(changes.attentions >= 100)
  }

  /// A reshape whose extents are those of a value that is narrowed.
  @Test func shapesStayThoseOfTheWhole() throws {
    var builder = GraphBuilder(input: [1, 6, 8])
    let whole = builder.add("whole", .seededLinear(inputs: 8, outputs: 8, seed: 1), builder.input)
    let shape = builder.add("shape", .shape(start: 0, end: nil), whole)
    let other = builder.add("other", .seededLinear(inputs: 8, outputs: 8, seed: 2), builder.input)
    builder.add("reshaped", .reshape(extents: .operand(1), allowZero: false), other, shape)
    let mean = builder.add("mean", .mean(axes: [1], keepsAxes: false))
    let first = builder.add(
      "first", .gather(axis: 1), whole, builder.integers("zero", IntegerTensor(shape: [], elements: [0])))
    builder.add("sum", .add, mean, first)
    builder.add("head", .seededLinear(inputs: 8, outputs: 3, seed: 3))
    let (network, x) = (try builder.network(), Seeded.tensor([1, 6, 8], seed: 4))
    #expect(try Changes(network, input: x.shape).narrowed == 1)
    let executor = Executor(network)
    let expected = try executor.trace(x).value(of: network.logits)
    #expect(try executor.logits(x).largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  /// Products with a softmax between each two: a product cannot belong to two attentions.
  @Test(arguments: 2...5) func productsInARow(count: Int) throws {
    var builder = GraphBuilder(input: [1, 4, 4])
    var last = builder.input
    for number in 0..<count {
      let other = builder.add(
        "other\(number)", .seededLinear(inputs: 4, outputs: 4, seed: UInt64(number)), builder.input)
      if number > 0 {
        last = builder.add("softmax\(number)", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)), last)
      }
      last = builder.add("product\(number)", MatrixProduct(), last, other)
    }
    builder.add("head", .seededLinear(inputs: 4, outputs: 3, seed: 9), last)
    let (network, x) = (try builder.network(), Seeded.tensor([1, 4, 4], seed: 4))
    #expect(try Changes(network, input: x.shape).attentions == count / 2)
    let executor = Executor(network)
    let expected = try executor.trace(x).value(of: network.logits)
    #expect(try executor.logits(x).largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  /// Only the last block of the trained transformer is narrowed, to the class token.
  @Test func theTrainedTransformerSavesProducts() throws {
    let model = try Model(contentsOf: Fixtures.path("digits/vit"))
    let shape = model.network.exampleInputShape()
    let changes = try Changes(model.network, input: shape)
    let blocks = model.network.graph.nodes.count { $0.operation is Softmax }
    #expect(changes.attentions == blocks)
    // The queries, the projection after attention, and the two layers after it.
    #expect(changes.narrowed == 4)
    let executor = Executor(model.network)
    let x = Seeded.tensor(shape, seed: 1)
    let (before, trace) = (executor.workers.products.multiplyAdds, try executor.trace(x))
    let traced = executor.workers.products.multiplyAdds - before
    let logits = try executor.logits(x)
    let predicted = executor.workers.products.multiplyAdds - before - traced
    #expect(predicted < traced)
    #expect(logits.largestDifference(from: trace.value(of: model.network.logits)) <= Tolerance.singlePrecision)
  }
}
