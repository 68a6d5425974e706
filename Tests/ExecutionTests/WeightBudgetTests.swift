import RelevanceKit
import RelevanceTestSupport
import Testing

/// Weights in the package's own layouts are kept up to a budget; results do not depend on it.
@Suite struct WeightBudgetTests {
  private func network() throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [16, 40, 40])
    builder.add("winograd", try .seededConvolution(inputs: 16, outputs: 24, kernel: [3, 3], seed: 1))
    builder.add("strided", try .seededConvolution(inputs: 24, outputs: 20, kernel: [5, 5], strides: [2, 2], seed: 2))
    builder.add("pointwise", try .seededConvolution(inputs: 20, outputs: 30, kernel: [1, 1], seed: 3))
    return try builder.network()
  }

  @Test(arguments: [0, 20_000, 1 << 30]) func resultsDoNotDependOnTheBudget(budget: Int) throws {
    let network = try network()
    let x = Seeded.tensor([2, 16, 40, 40], seed: 4)
    let executor = Executor(network, threads: 2, weightBudget: budget)
    let expected = try Executor(network, threads: 1).logits(x)
    #expect(try executor.logits(x) == expected)
    #expect(try executor.logits(x) == expected)
    #expect(executor.derivedWeightBytes <= budget)
    #expect((executor.derivedWeightBytes > 0) == (budget > 0))
  }
}
