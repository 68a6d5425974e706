import RelevanceKit
import RelevanceTestSupport
import Testing

/// Small networks whose correct maps are computed by hand: x = (1, 3), a layer, a node that inverts its sign, a
/// rectifier, a head.
@Suite struct SignTests {
  private static func convolution(_ weights: Float...) throws -> any RelevanceKit.Operator {
    .convolution(
      Convolution(
        weight: Tensor(shape: [weights.count / 2, 2, 1, 1], elements: weights), bias: nil,
        window: try Window(kernel: [1, 1]), groups: 1))
  }

  /// The map of y₀ under z⁺, for a network that ends in `relu(turned) · head`.
  private func map(
    head: [Float] = [1, -1], score: Float, _ build: (inout GraphBuilder) throws -> Void
  ) throws -> [Float] {
    var builder = GraphBuilder(item: [2, 1, 1])
    try build(&builder)
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    let inputs = head.count / 2
    builder.add("fc", .linear(Linear(weight: Tensor(shape: [2, inputs], elements: head), bias: nil)))
    let table = RuleTable(name: "test") {
      RuleTable.Row(.operators(.conv, .gemm), ZPlusRule())
      RuleTable.default(pixelRange: nil)
    }
    let explainer = try Explainer(builder.network(), rules: table)
    #expect(explainer.plan.warnings.filter { $0.contains("take over the sign") }.isEmpty)
    let explanation = try explainer.trace(Tensor(shape: [1, 2, 1, 1], elements: [1, 3])).explain(.class(0))
    #expect(explanation.score == score)
    return explanation.relevance.elements
  }

  private func expect(_ found: [Float], _ expected: [Float]) {
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-6 }, "\(found)")
  }

  /// 1 − 3 = −2 becomes 2, due to the second input only.
  @Test func aNegativeScale() throws {
    let normalization = BatchNormalization(
      scale: Tensor(shape: [1], elements: [-1]), shift: Tensor(shape: [1], elements: [0]))
    expect(
      try map(score: 2) {
        $0.add("conv", try Self.convolution(1, -1))
        $0.add("bn", .batchNormalization(normalization))
      }, [0, 2])
  }

  @Test(arguments: ["neg", "times", "divided", "minus", "reshaped"]) func negations(_ kind: String) throws {
    expect(
      try map(score: 2) { builder in
        let conv = builder.add("conv", try Self.convolution(1, -1))
        let one = builder.constant("c", Tensor(shape: [], elements: [kind == "minus" ? 0 : -1]))
        switch kind {
        case "neg": builder.add("turn", .negate, conv)
        case "times": builder.add("turn", .multiply, conv, one)
        case "divided": builder.add("turn", .divide, conv, one)
        case "minus": builder.add("turn", .subtract, one, conv)
        default:
          let reshaped = builder.add("reshape", .reshape(extents: [0, 1, 1, 1], allowZero: false), conv)
          builder.add("turn", .negate, reshaped)
        }
      }, [0, 2])
  }

  /// 1 − (−2) = 3: the constant is a bias, which is bypassed.
  @Test func aDifferenceFromOne() throws {
    expect(
      try map(score: 3) {
        let conv = $0.add("conv", try Self.convolution(1, -1))
        $0.add("turn", .subtract, $0.constant("c", Tensor(shape: [1, 1, 1], elements: [1])), conv)
      }, [0, 3])
  }

  /// −((1 − 3) + (−1)) = 3: the second input contributes 2 and the first 1.
  @Test func sumsAndJoins() throws {
    expect(
      try map(score: 3) {
        let a = $0.add("a", try Self.convolution(1, -1))
        let b = $0.add("b", try Self.convolution(-1, 0), $0.input)
        $0.add("turn", .negate, $0.add("sum", .add, a, b))
      }, [1, 2])
    expect(
      try map(head: [1, 1, -1, -1], score: 3) {
        let a = $0.add("a", try Self.convolution(1, -1))
        let b = $0.add("b", try Self.convolution(-1, 0), $0.input)
        $0.add("turn", .negate, $0.add("join", .concat(axis: 1), a, b))
      }, [1, 2])
  }

  /// After a maximum, the sign belongs to the layer after the node: −(1, 3)·(1, −1) = 2, due to the second input; the
  /// shift is a bias.
  @Test(arguments: [0, 0.5] as [Float]) func aNegativeScaleInFrontOfALayer(shift: Float) throws {
    let normalization = BatchNormalization(
      scale: Tensor(shape: [2], repeating: -1), shift: Tensor(shape: [2], elements: [shift, 0]))
    expect(
      try map(score: 2 + shift) {
        $0.add("pool", .maxPool(try Window(kernel: [1, 1])))
        $0.add("bn", .batchNormalization(normalization))
        $0.add("conv", try Self.convolution(1, -1))
      }, [0, 2 + shift])
  }

  /// A normalization with a contribution rule has its own share, and the layer after it receives its values unchanged.
  @Test func normalizationWithContributionRule() throws {
    var builder = GraphBuilder(item: [2, 1, 1])
    builder.add("pool", .maxPool(try Window(kernel: [1, 1])))
    let normalization = BatchNormalization(
      scale: Tensor(shape: [2], elements: [2, -1]), shift: Tensor(shape: [2], elements: [2, 4]))
    builder.add("bn", .batchNormalization(normalization))
    builder.add("conv", try Self.convolution(1, 1))
    let table = RuleTable(name: "test") {
      RuleTable.Row(.operators(.conv, .batchNormalization), ZRule())
      RuleTable.default(pixelRange: nil)
    }
    let walk = try Walk(builder.network(), table, Tensor(shape: [1, 2, 1, 1], elements: [1, 3]))
    // 2 + 2 and −3 + 4 make 5; the inputs contribute 2 and −3.
    expect(walk.relevance(from: "conv", Tensor(shape: [1, 1, 1, 1], elements: [5])).elements, [2, -3])
    #expect(walk.plan[walk.node("conv")]?.site.operandHasOffset == false)
  }

  // MARK: Warnings

  private func warnings(_ build: (inout GraphBuilder) throws -> Void) throws -> [String] {
    var builder = GraphBuilder(item: [2, 4, 4])
    try build(&builder)
    builder.add("gap", .mean(axes: [2, 3], keepsAxes: false))
    builder.add("fc", .seededLinear(inputs: 2, outputs: 3, seed: 1))
    return try RuleTable.default(pixelRange: PixelRange(lower: [0, 0], upper: [1, 1])).resolve(for: builder.network())
      .warnings
  }

  @Test func unresolvedSignsCauseWarnings() throws {
    let end =
      ", and no layer before or after it can take over the sign: relevance keeps its sign there, so evidence against the "
      + "class may appear as evidence for it, and vice versa"
    let pool = MaxPool(try Window(kernel: [2, 2]))
    let normalization = BatchNormalization.batchNormalization(
      BatchNormalization(scale: Tensor(shape: [2], elements: [1, -1]), shift: Tensor(shape: [2], elements: [1, 1])))
    // After a maximum, before a rectifier.
    #expect(
      try warnings {
        $0.add("conv", try Self.convolution(1, -1, 1, 1))
        $0.add("pool", pool)
        $0.add("bn", normalization)
        $0.add("relu", .relu)
      } == ["bn (BatchNormalization) has a negative scale in 1 of 2 channels" + end])
    #expect(
      try warnings {
        $0.add("conv", try Self.convolution(1, -1, 1, 1))
        $0.add("pool", pool)
        $0.add("neg", .negate)
        $0.add("relu", .relu)
      } == ["neg (Neg) inverts every sign" + end])
    #expect(
      try warnings {
        $0.add("conv", try Self.convolution(1, -1, 1, 1))
        $0.add("prelu", .parametricRelu(slope: Tensor(shape: [2, 1, 1], elements: [-0.25, 0.25])))
      } == ["prelu (PRelu) has a negative slope in 1 of 2 channels" + end])
    #expect(
      try warnings {
        $0.add("conv", try Self.convolution(1, -1, 1, 1))
        $0.add("leaky", .leakyRelu(alpha: -0.25))
      } == ["leaky (LeakyRelu) has a negative slope" + end])
    #expect(
      try warnings {
        let conv = $0.add("conv", try Self.convolution(1, -1, 1, 1))
        let gate = $0.add("tanh", .tanh, $0.add("gate", try Self.convolution(1, 1, 1, 1), conv))
        $0.add("product", .multiply, conv, gate)
      } == ["product (Mul) multiplies by tanh, which depends on the input and can be negative" + end])
    // GELU as separate nodes: 1 + erf(x) is never negative.
    #expect(
      try warnings {
        let conv = $0.add("conv", try Self.convolution(1, -1, 1, 1))
        let one = $0.constant("one", Tensor(shape: [], elements: [1]))
        $0.add("product", .multiply, conv, $0.add("sum", .add, $0.add("erf", .erf, conv), one))
      }.isEmpty)
    // A sigmoid is never negative; an adjacent layer takes over a constant sign.
    #expect(
      try warnings {
        let conv = $0.add("conv", try Self.convolution(1, -1, 1, 1))
        let gate = $0.add("sigmoid", .sigmoid, $0.add("gate", try Self.convolution(1, 1, 1, 1), conv))
        $0.add("product", .multiply, conv, gate)
        $0.add("pool", pool)
        $0.add("bn", normalization)
        $0.add("second", try Self.convolution(1, -1, 1, 1))
        $0.add("neg", .negate)
      } == [])
  }
}
