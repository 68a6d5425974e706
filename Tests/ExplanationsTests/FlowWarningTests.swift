import RelevanceKit
import RelevanceTestSupport
import Testing

/// Warnings about relevance that is absorbed or grows, and errors about maps that are not finite, with the name of the
/// node.
@Suite struct FlowWarningTests {
  /// A convolution of ones, a rectifier, a convolution with some negative weights, and a sum of all values.
  private static func network(negativeShare: Int) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [2, 4, 4])
    func convolution(_ weights: [Float]) throws -> any RelevanceKit.Operator {
      .convolution(
        Convolution(
          weight: Tensor(shape: [10, weights.count / 10, 1, 1], elements: weights),
          bias: Tensor(shape: [10], repeating: 100), window: try Window(kernel: [1, 1]), groups: 1))
    }
    builder.add("conv1", try convolution([Float](repeating: 1, count: 20)))
    builder.add("relu1", .relu)
    // Outputs with only negative weights are positive because of their bias, and have no positive contributions.
    builder.add("conv2", try convolution((0..<100).map { $0 / 10 < negativeShare ? -0.01 : 0.01 }))
    builder.add("relu2", .relu)
    builder.add("flatten", .flatten(axis: 1))
    builder.add(
      "head",
      .linear(
        Linear(weight: Tensor(shape: [3, 160], elements: (0..<480).map { $0 < 160 ? 1 : -1 }), bias: nil)))
    return try builder.network()
  }

  private static let table = RuleTable(name: "zPlus") {
    RuleTable.Row(.operators(.conv, .gemm), ZPlusRule())
    RuleTable.default(pixelRange: nil)
  }

  @Test(arguments: [(0, nil), (4, nil), (6, "55"), (9, "88"), (10, "100.0")] as [(Int, String?)])
  func lossesAreReported(negativeShare: Int, percent: String?) throws {
    let trace = try Explainer(Self.network(negativeShare: negativeShare), rules: Self.table)
      .trace(Tensor(shape: [1, 2, 4, 4], repeating: 1))
    let found = try trace.explain(.class(0))
    let expected = percent.map {
      "\($0) % of the score of class:0 is absorbed, most of it at node conv2 (Conv, zPlus): no input supports its "
        + "outputs (zero denominator)"
    }
    #expect(found.warnings == [expected].compactMap { $0 })
    #expect(try trace.explain(.class(0), ledger: false).warnings.isEmpty)
    #expect(try trace.explain(.class(0), by: .clrp1).warnings.isEmpty)
    #expect(try trace.explain(.class(0), by: .gradient).warnings.isEmpty)
  }

  /// Shares in proportion to values of both signs are larger than the relevance that is distributed.
  @Test(arguments: [(Float(-0.5), false), (-0.9, true)]) func growthIsReported(negative: Float, isTold: Bool) throws {
    var builder = GraphBuilder(item: [1, 2, 2])
    builder.add("mean", .mean(axes: [2, 3], keepsAxes: false))
    let trace = try Explainer(builder.network(), rules: .default(pixelRange: nil))
      .trace(Tensor(shape: [1, 1, 2, 2], elements: [1, negative, 1, negative]))
    let found = try trace.explain(.class(0))
    // Of 2 + 2n, the magnitudes are 2 − 2n.
    let factor = (1 - negative) / (1 + negative)
    let words =
      "the relevance of class:0 grows to \(Int(factor.rounded())) times its score in magnitude, mostly at node mean "
      + "(GlobalAveragePool, proportional), by \(Int(factor.rounded())) times; positive and negative shares cancel in "
      + "its sum"
    #expect(found.warnings == (isTold ? [words] : []))
  }

  /// Values that overflow and are hidden by a rectifier are found before a map is returned.
  @Test(
    arguments: [.lrp, .clrp1, .clrp2, .gradient, .gradientTimesInput, .integratedGradients] as [any AttributionMethod])
  func mapsThatAreNotFinite(method: any AttributionMethod) throws {
    var builder = GraphBuilder(item: [2, 2, 2])
    let huge = Convolution(
      weight: Tensor(shape: [2, 2, 1, 1], elements: [1e30, 1e30, -1, -1]), bias: nil,
      window: try Window(kernel: [1, 1]), groups: 1)
    builder.add("conv1", .convolution(huge))
    builder.add("clip", .clip(lowest: 0, highest: 6))
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .seededLinear(inputs: 8, outputs: 3, seed: 1))
    let table = RuleTable(name: "zPlus") {
      RuleTable.Row(.operators(.conv, .gemm), ZPlusRule())
      RuleTable.default(pixelRange: nil)
    }
    let trace = try Explainer(builder.network(), rules: table).trace(Tensor(shape: [1, 2, 2, 2], repeating: 1e10))
    #expect(trace.logits.isFinite)
    do {
      let map = try trace.explain(.class(0), by: method)
      #expect(map.relevance.isFinite && map.signedRelevance.isFinite)
    } catch let error as ExplanationError {
      #expect(error.category == .badData)
      #expect(error.description.hasSuffix("has values that are not finite (NaN or infinite), because of node conv1"))
    }
    if method is LRP { #expect(throws: ExplanationError.self) { try trace.explain(.class(0), by: method) } }
  }
}
