import Dispatch
import RelevanceKit
import Synchronization
import RelevanceTestSupport
import Testing

/// The values that a trace keeps, and that runs do not affect each other.
@Suite struct TraceTests {
  /// Nodes whose values a rectifier has overwritten are computed again on request.
  @Test func valuesUnderARectifierAreRecomputed() throws {
    var builder = GraphBuilder(item: [3, 9, 8])
    let convolution = builder.add(
      "conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    let rectified = builder.add("relu", .relu)
    let normalized = builder.add("bn", Self.batchNormalization(channels: 4))
    let normalizedRectified = builder.add("relu2", .relu)
    let pooled = builder.add("pool", .maxPool(try Window(kernel: [2, 2])))
    let doubled = builder.add("double", .add, pooled, normalizedRectifiedPooled(&builder, normalizedRectified))
    let doubledRectified = builder.add("relu3", .relu)
    builder.add("flat", .flatten(axis: 1))
    let linear = builder.add("fc", .seededLinear(inputs: 4 * 6 * 5, outputs: 7, seed: 2))
    let linearRectified = builder.add("relu4", .relu)
    builder.add("head", .seededLinear(inputs: 7, outputs: 3, seed: 3))
    let network = try builder.network()
    let x = Seeded.tensor([2, 3, 9, 8], seed: 1)
    for sideProducts in [[:], [convolution: .positiveOutputs, linear: .everywhere]] as [[Node.ID: SideProduct.Scope]] {
      let trace = try Executor(network, threads: 2).trace(x, sideProducts: sideProducts)
      for (before, after) in [
        (convolution, rectified), (normalized, normalizedRectified), (doubled, doubledRectified),
        (linear, linearRectified),
      ] {
        let value = trace.value(of: before)
        #expect(value.elements.contains { $0 < 0 }, "\(network.graph[before].name) must have something to rectify")
        // Not to the bit: with a side product, a fully connected layer sums in another order.
        #expect(trace.value(of: after).largestDifference(from: value.positivePart) <= Tolerance.singlePrecision)
      }
      guard let parameters = network.graph[convolution].operation as? Convolution else { return }
      let expected = NaiveConvolution(parameters, item: [3, 9, 8]).product(.all, x.doubles).enumerated().map {
        $1 + Double(parameters.bias!.elements[$0 / 42 % 4])
      }
      #expect(trace.value(of: convolution).largestDifference(from: expected) <= Tolerance.singlePrecision)
    }
  }

  /// The same average with the sign of the window inverted, so that the sum has both signs.
  private func normalizedRectifiedPooled(_ builder: inout GraphBuilder, _ operand: Node.ID) -> Node.ID {
    guard let window = try? Window(kernel: [2, 2]) else { preconditionFailure("2×2 is a window") }
    let average = builder.add("average", .averagePool(AveragePool(window: window, countsPadding: false)), operand)
    let minus = builder.constant("minus", Tensor(shape: [1], elements: [-1.5]))
    return builder.add("negative", .multiply, average, minus)
  }

  private static func batchNormalization(channels: Int) -> any RelevanceKit.Operator {
    let shape: TensorShape = [channels]
    return .batchNormalization(
      BatchNormalization(
        gamma: Seeded.tensor(shape, seed: 4, low: 0.5, high: 1.5),
        beta: Seeded.tensor(shape, seed: 5, low: -1, high: 0),
        mean: Seeded.tensor(shape, seed: 6), variance: Seeded.tensor(shape, seed: 7, low: 0.5, high: 1.5), epsilon: 1e-5
      ))
  }

  /// A rectifier of a value with other users, of the input, or of a rectifier's output keeps its operand unchanged.
  @Test func sharedOperandsAreKept() throws {
    var builder = GraphBuilder(item: [2, 4, 4])
    let onInput = builder.add("relu", .relu)
    let convolution = builder.add(
      "conv", try .seededConvolution(inputs: 2, outputs: 2, kernel: [1, 1], seed: 1), onInput)
    let first = builder.add("relu2", .relu, convolution)
    let second = builder.add("relu3", .relu, first)
    let sum = builder.add("sum", .add, convolution, second)
    let network = try builder.network()
    let x = Seeded.tensor([1, 2, 4, 4], seed: 3)
    let trace = try Executor(network, threads: 1).trace(x)
    #expect(trace.value(of: network.input) == x)
    #expect(trace.value(of: onInput) == x.positivePart)
    let value = trace.value(of: convolution)
    #expect(value.elements.contains { $0 < 0 })
    #expect(trace.value(of: first) == value.positivePart)
    #expect(trace.value(of: second) == value.positivePart)
    #expect(trace.value(of: sum) == value.combined(with: value.positivePart, +))
  }

  @Test func logitsUnderARectifierAreKept() throws {
    var builder = GraphBuilder(item: [4])
    let linear = builder.add("fc", .seededLinear(inputs: 4, outputs: 8, seed: 1))
    builder.add("probabilities", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    let network = try builder.network()
    #expect(network.logits == linear)
    let x = Seeded.tensor([1, 4], seed: 3)
    let logits = try Executor(network).logits(x)
    #expect(logits.elements.contains { $0 < 0 })
    let trace = try Executor(network).trace(x)
    #expect(trace.value(of: linear) == logits)
  }

  @Test func requestedSideProductsAreKept() throws {
    let (network, convolution, linear) = try Self.smallNetwork()
    let x = Seeded.tensor([1, 2, 10, 9], seed: 3)
    let trace = try Executor(network, threads: 2).trace(x, sideProducts: [convolution: .everywhere])
    #expect(trace.sideProduct(of: linear) == nil)
    guard let parameters = network.graph[convolution].operation as? Convolution else { return }
    let expected = NaiveConvolution(parameters, item: [2, 10, 9]).product(.positive, x.doubles)
    let sideProduct = try #require(trace.sideProduct(of: convolution))
    #expect(sideProduct.largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  @Test func aBatchIsItsItems() throws {
    let (network, _, _) = try Self.smallNetwork()
    let executor = Executor(network, threads: 2)
    let batch = Seeded.tensor([3, 2, 10, 9], seed: 3)
    let logits = try executor.logits(batch)
    for item in 0..<3 {
      let single = try executor.logits(batch.item(item))
      #expect(logits.item(item).largestDifference(from: single) <= Tolerance.singlePrecision)
    }
  }

  /// Sixteen runs of one executor on several threads, while earlier traces are still in use.
  @Test func concurrentTracesAreIndependent() throws {
    let (network, convolution, _) = try Self.smallNetwork()
    let executor = Executor(network, threads: 2)
    let inputs = (0..<16).map { Seeded.tensor([1, 2, 10, 9], seed: UInt64($0)) }
    let expected = try inputs.map { try executor.logits($0) }
    let found = Mutex<[Int: [Tensor]]>([:])
    DispatchQueue.concurrentPerform(iterations: inputs.count) { index in
      guard let trace = try? executor.trace(inputs[index], sideProducts: [convolution: .everywhere]) else { return }
      // Another run of the same executor must not change the values of the first one.
      _ = try? executor.logits(inputs[(index + 1) % inputs.count])
      let values = [trace.value(of: network.logits).map { $0 }, trace.value(of: convolution)]
      found.withLock { $0[index] = values }
    }
    let values = found.withLock { $0 }
    for index in inputs.indices {
      #expect(values[index]?[0].bits == expected[index].bits)
      let trace = try executor.trace(inputs[index])
      #expect(values[index]?[1].bits == trace.value(of: convolution).bits)
    }
  }

  @Test func invalidInputsAreErrors() throws {
    let (network, _, _) = try Self.smallNetwork()
    let shape = #expect(throws: GraphError.self) { try Executor(network).logits(Tensor(shape: [1, 3, 10, 9])) }
    #expect(shape?.description == "input x: expected shape n×2×10×9, found 1×3×10×9")
    for value in [Float.nan, .infinity] {
      var input = Tensor(shape: [1, 2, 10, 9])
      input[0, 1, 3, 3] = value
      let error = #expect(throws: ExecutionError.self) { try Executor(network).logits(input) }
      #expect(error?.description.hasSuffix("has values that are not finite (NaN or infinite)") == true)
      #expect(error?.category == .badData)
    }
  }

  /// A convolution, a rectifier and a fully connected head.
  private static func smallNetwork() throws -> (network: NeuralNetwork, convolution: Node.ID, linear: Node.ID) {
    var builder = GraphBuilder(item: [2, 10, 9])
    let convolution = builder.add("conv", try .seededConvolution(inputs: 2, outputs: 6, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("flat", .flatten(axis: 1))
    let linear = builder.add("head", .seededLinear(inputs: 6 * 8 * 7, outputs: 5, seed: 2))
    return (try builder.network(), convolution, linear)
  }
}
