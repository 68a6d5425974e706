import RelevanceExecution
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Relevance and gradients through values that are rounded to integers or wrap as integers do.
@Suite struct IntegerRuleTests {
  /// Scaled pixels as bytes, and a linear layer on them.
  private func network(_ kind: ElementKind) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [4])
    let scale = builder.constant("scale", Tensor(shape: [1], elements: [10]))
    builder.add("bytes", .cast(kind), builder.add("scaled", .multiply, builder.input, scale))
    builder.add("real", .cast(.real))
    builder.add("fc", .seededLinear(inputs: 4, outputs: 2, seed: 1))
    return try builder.network()
  }

  private let input = Tensor(shape: [1, 4], elements: [0.31, 1.26, 2.58, 0.77])
  private let seed = Tensor(shape: [1, 2], elements: [1, 0])

  @Test func gradientsThroughRoundingAreZero() throws {
    let rounded = try Walk(network(.integer(.uint8)), .gradient(), input)
    #expect(rounded.relevance(from: "fc", seed).elements == [0, 0, 0, 0])
    #expect(
      rounded.plan.warnings == [
        "bytes (Cast) outputs uint8 integers: its derivative is 0, and no gradient passes through it"
      ])
    let real = try Walk(network(.real), .gradient(), input)
    #expect(real.relevance(from: "fc", seed).elements.allSatisfy { $0 != 0 })
    #expect(real.plan.warnings.isEmpty)
  }

  @Test func relevancePassesThroughRounding() throws {
    let table = RuleTable(name: "epsilon") {
      RuleTable.Row(.operators(.gemm), EpsilonRule(epsilon: 1e-6))
      RuleTable.Row(.operators(.mul), PassRule())
    }
    let walk = try Walk(network(.integer(.uint8)), table, input)
    #expect(
      walk.plan.warnings == [
        "bytes (Cast) outputs uint8 integers: rearrange propagates relevance as if values were neither rounded nor wrapped"
      ])
    let found = walk.relevance(from: "fc", seed)
    // The layer's result for the bytes, computed by the same rule in a network without casts.
    var builder = GraphBuilder(item: [4])
    builder.add("fc", .seededLinear(inputs: 4, outputs: 2, seed: 1))
    let alone = try Walk(builder.network(), table, Tensor(shape: [1, 4], elements: [3, 12, 25, 7]))
    #expect(found == alone.relevance(from: "fc", seed))
  }

  /// Shares of a sum that wraps are those of the sum without wrapping: 200 + 100 shares 1 as ⅔ and ⅓. A mean of 1 and
  /// 2, which is rounded to 1, shares by 3.
  @Test func sharesUseValuesWithoutWrapping() throws {
    var builder = GraphBuilder(item: [2])
    let factors = builder.constant("factors", Tensor(shape: [1, 2], elements: [2, 2]))
    let bytes = builder.add("bytes", .cast(.integer(.uint8)), builder.input)
    let larger = builder.add(
      "larger", .cast(.integer(.uint8)), builder.add("doubled", .multiply, builder.input, factors))
    builder.add("real", .cast(.real), builder.add("sum", .add, larger, bytes))
    let table = RuleTable(name: "shares") {
      RuleTable.Row(.operators(.mul), PassRule())
      RuleTable.Row(.operators(.reduceMean), ProportionalRule())
    }
    let walk = try Walk(builder.network(), table, Tensor(shape: [1, 2], elements: [100, 3]))
    #expect(walk.trace.value(of: walk.network.graph.output).elements == [44, 9])
    let found = walk.relevance(from: "real", Tensor(shape: [1, 2], elements: [1, 1]))
    #expect(found.largestDifference(from: [1, 1]) < 1e-6)

    var means = GraphBuilder(item: [2])
    means.add("integers", .cast(.integer(.int32)))
    means.add("mean", .mean(axes: [1], keepsAxes: true))
    let mean = try Walk(means.network(), table, Tensor(shape: [1, 2], elements: [1, 2]))
    #expect(mean.trace.value(of: mean.network.graph.output).elements == [1])
    let shares = mean.relevance(from: "mean", Tensor(shape: [1, 1], elements: [3]))
    #expect(shares.largestDifference(from: [1, 2]) < 1e-6)
  }
}
