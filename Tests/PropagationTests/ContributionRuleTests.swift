import RelevanceKit
import RelevanceTestSupport
import Testing

/// Contribution rules, each against its definition over a dense matrix in double precision, with the ledger's causes:
/// layers × signs of inputs × parameters × treatments of biases.
@Suite struct ContributionRuleTests {
  /// A rule and the result of its definition for a layer.
  struct RuleCase: Sendable, CustomTestStringConvertible {
    let rule: any Rule
    let definition: @Sendable (DenseOracle, _ x: [Double], _ r: [Double]) -> DenseOracle.Outcome

    var testDescription: String { rule.description }
  }

  static let rules: [RuleCase] = {
    var cases: [RuleCase] = []
    for bias in BiasTreatment.allCases {
      cases.append(RuleCase(rule: ZRule(bias: bias)) { $0.epsilon($1, $2, 0, bias) })
      for epsilon in [1e-2, 0.5] {
        cases.append(
          RuleCase(rule: EpsilonRule(epsilon: Float(epsilon), bias: bias)) {
            $0.epsilon($1, $2, Double(Float(epsilon)), bias)
          })
      }
      for gamma in [0.25, 3] {
        cases.append(RuleCase(rule: GammaRule(gamma: Float(gamma), bias: bias)) { $0.gamma($1, $2, gamma, bias) })
        cases.append(
          RuleCase(rule: GeneralizedGammaRule(gamma: Float(gamma), bias: bias)) {
            $0.generalizedGamma($1, $2, gamma, bias)
          }
        )
      }
      for (alpha, beta) in [(2.0, 1.0), (1, 0), (1.5, 0.5)] {
        cases.append(
          RuleCase(rule: AlphaBetaRule(alpha: Float(alpha), beta: Float(beta), bias: bias)) {
            $0.alphaBeta($1, $2, alpha, beta, bias)
          })
      }
      cases.append(RuleCase(rule: ZPlusRule(bias: bias)) { $0.zPlus($1, $2, bias) })
      cases.append(RuleCase(rule: WSquareRule(bias: bias)) { $0.wSquare($1, $2, bias) })
    }
    cases.append(RuleCase(rule: FlatRule()) { $0.flat($1, $2) })
    return cases
  }()

  /// Every rule on every layer, for inputs of both signs and for rectified inputs.
  @Test(arguments: rules) func definitions(of test: RuleCase) throws {
    let layers = LayerCase.all.filter { $0.item != [16, 13, 14] } + LayerCase.others
    for (index, layer) in layers.enumerated() {
      for isRectified in [false, true] {
        // The weights of averages have no scale, on which w² and a stabilizer would depend.
        try expectDefinition(test, layer, isRectified: isRectified, seeds: index % 2 == 0 ? 1 : 3)
      }
    }
  }

  /// Rounding of transformed convolutions must not change the result of a rule.
  @Test(arguments: rules.filter { $0.rule.description.contains("bias") == false }) func transformed(_ test: RuleCase)
    throws
  {
    let layer = try #require(LayerCase.all.first { $0.item == [16, 13, 14] })
    for isRectified in [false, true] { try expectDefinition(test, layer, isRectified: isRectified, seeds: 1) }
  }

  private func expectDefinition(_ test: RuleCase, _ layer: LayerCase, isRectified: Bool, seeds: Int) throws {
    let input = Seeded.tensor(TensorShape([2] + layer.item), seed: 1)
    let x = (isRectified ? input.positivePart : input).repeatingItems(seeds)
    let oracle = layer.oracle
    let table = RuleTable.of(.init(.operators(.relu), PassRule()), .init(.name("layer"), test.rule))
    let walk = try Walk(layer.network(behind: isRectified ? [.relu] : []), table, input)
    let comment: Comment = "\(layer.name), rectified: \(isRectified)"
    let shape = walk.value("layer").shape
    #expect(shape.count / 2 == oracle.matrix.count, comment)

    let r = conditioned(Seeded.tensor(shape.withBatch(2 * seeds), seed: 31), test, oracle, x)
    let expected = test.definition(oracle, x, r.doubles)
    let found = walk.relevance(from: "layer", r, count: seeds)
    #expect(found.largestDifference(from: expected.relevance) <= Tolerance.singlePrecision, comment)

    let ledgers = walk.propagator.propagate([walk.node("layer"): r], count: seeds, keepsLedger: true).ledgers
    let entries = ledgers.compactMap { $0.first { $0.node == "layer" } }
    let magnitude = entries.reduce(0) { $0 + max($1.magnitudeIn, $1.magnitudeOut) }
    let loss = { (cause: AbsorptionCause) in entries.reduce(0) { $0 + ($1.losses[cause] ?? 0) } }
    let tolerance = Tolerance.singlePrecision * magnitude
    #expect(abs(loss(.bias) - expected.bias) <= tolerance, comment)
    #expect(abs(loss(.stabilizer) - expected.stabilizer) <= tolerance, comment)
    #expect(abs(loss(.zeroDenominator) - expected.zero) <= tolerance, comment)
    #expect(abs(loss(.rounding)) <= tolerance && loss(.rule) == 0, comment)
    for entry in entries {
      #expect(abs(entry.losses.values.reduce(0, +) - entry.absorbed) <= 1e-12 * magnitude, comment)
    }
  }

  /// Scales relevance down where the terms of a denominator cancel, so that their rounding does not dominate.
  private func conditioned(_ r: Tensor, _ test: RuleCase, _ oracle: DenseOracle, _ x: [Double]) -> Tensor {
    let conditions = test.definition(oracle, x, r.doubles).conditions
    return Tensor(shape: r.shape, elements: zip(r.elements, conditions).map { $0 * Float($1 * $1) })
  }

  /// Under every rule, an output without contributions absorbs its relevance, and the ledger records it.
  @Test(
    arguments: [ZRule(), EpsilonRule(), GammaRule(), GeneralizedGammaRule(), ZPlusRule(), WSquareRule()] as [any Rule])
  func zeroDenominatorsAbsorb(rule: any Rule) throws {
    var builder = GraphBuilder(item: [2])
    builder.add("layer", .linear(Linear(weight: Tensor(shape: [2, 2], elements: [1, 2, 0, 0]), bias: nil)))
    let walk = try Walk(
      builder.network(), .of(.init(RuleTable.Selector(), rule)), Tensor(shape: [1, 2], elements: [3, 0.5]))
    let r = Tensor(shape: [1, 2], elements: [4, 100])
    #expect(abs(walk.relevance(from: "layer", r).sum() - 4) <= Tolerance.singlePrecision * 4)
    let entry = try #require(walk.ledger(from: "layer", r).first)
    #expect(entry.losses[.zeroDenominator] == 100)
  }

  /// αβ with α = 1, β = 0 is z⁺.
  @Test(arguments: LayerCase.all) func alphaBetaOneZeroIsZPlus(layer: LayerCase) throws {
    let x = Seeded.tensor(TensorShape([1] + layer.item), seed: 1)
    let maps = try [AlphaBetaRule(alpha: 1, beta: 0, bias: .bypassed), ZPlusRule()].map { (rule: any Rule) in
      let walk = try Walk(layer.network(), .of(.init(RuleTable.Selector(), rule)), x)
      return walk.relevance(from: "layer", Seeded.tensor(walk.value("layer").shape, seed: 2))
    }
    #expect(maps[0].relativeDistance(from: maps[1]) <= Tolerance.sameMap)
  }

  /// Without biases, rule z on all layers is gradient × input, and rule ε approaches it for small ε.
  @Test func withoutBiasesZIsGradientTimesInput() throws {
    let first = try Convolution.seededConvolution(
      inputs: 3, outputs: 5, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), bias: false, seed: 1)
    let window = try Window(kernel: [2, 2], strides: [2, 2])
    let second = Linear.seededLinear(inputs: 5 * 4 * 4, outputs: 6, bias: false, seed: 2)
    var builder = GraphBuilder(item: [3, 8, 8])
    builder.add("conv", first)
    builder.add("relu", .relu)
    builder.add("pool", .maxPool(window))
    builder.add("flat", .flatten(axis: 1))
    builder.add("fc", second)
    let network = try builder.network()
    let x = Seeded.tensor([1, 3, 8, 8], seed: 3)

    // The gradient of class 2, computed backward by the definitions.
    let naive = NaiveConvolution(first, item: [3, 8, 8])
    let above = naive.product(.all, x.doubles)
    let rectified = above.map { max($0, 0) }
    let pooling = NaivePooling(window, extents: [8, 8])
    let pooled = pooling.maximum(rectified)
    let weights = second.weight.doubles
    let score = pooled.indices.reduce(0) { $0 + weights[2 * 80 + $1] * pooled[$1] }
    let atPool = pooling.winners(rectified, Array(weights[160..<240]), split: false)
    let gradient = naive.adjoint(.all, zip(atPool, above).map { $1 > 0 ? $0 : 0 })
    let expected = zip(gradient, x.doubles).map(*)

    for (epsilon, tolerance) in [(Float(0), 1e-5), (1e-4, 1e-2), (1e-1, 1)] {
      let rule: any Rule = epsilon == 0 ? ZRule() : EpsilonRule(epsilon: epsilon)
      let table = RuleTable.of(
        .init(.operators(.conv, .gemm), rule), .init(.operators(.maxPool), WinnerTakesAllRule()),
        .init(.operators(.relu), PassRule()))
      let explanation = try Explainer(network, rules: table).trace(x).explain(.class(2))
      #expect(abs(Double(explanation.score) - score) <= Tolerance.logits * abs(score))
      let distance = explanation.relevance.relativeDistance(
        from: Tensor(shape: x.shape, elements: expected.map { Float($0) }))
      #expect(distance <= tolerance, "ε = \(epsilon)")
      if epsilon == 1e-1 { #expect(distance > 1e-3, "ε must make a difference") }
    }
  }
}
