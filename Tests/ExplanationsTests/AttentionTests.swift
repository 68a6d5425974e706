import RelevanceKit
import RelevanceTestSupport
import Testing

/// A small vision transformer in two equivalent forms: with the batch as the first axis throughout, and with tokens
/// first and heads folded into the batch, as in PyTorch's attention.
@Suite struct AttentionTests {
  /// 16 patches and a class token of 6 channels, two heads, and five classes.
  static func network(tokensFirst: Bool) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 8, 8])
    func reshape(_ extents: [Int]) -> any RelevanceKit.Operator { .reshape(extents: .fixed(extents), allowZero: false) }
    func norm(_ seed: UInt64) -> any RelevanceKit.Operator {
      .layerNormalization(
        LayerNormalization(
          axis: -1, scale: Seeded.tensor([6], seed: seed, low: 0.5, high: 1.5),
          shift: Seeded.tensor([6], seed: seed + 1), epsilon: 1e-5))
    }
    let patches = Convolution(
      weight: Seeded.tensor([6, 3, 2, 2], seed: 1), bias: Seeded.tensor([6], seed: 2),
      window: try Window(kernel: [2, 2], strides: [2, 2]), groups: 1)
    builder.add("patches", .convolution(patches))
    builder.add("flat", reshape([0, 6, 16]))
    let tokens = builder.add("tokens", .transpose(order: [0, 2, 1]))
    let batch = builder.add("batch", .shape(start: 0, end: 1), builder.input)
    let rest = builder.integers("rest", [1, 6])
    let extents = builder.add("extents", .concat(axis: 0), batch, rest)
    let token = builder.constant("token", Seeded.tensor([1, 1, 6], seed: 3))
    let tokenOfEach = builder.add("expanded token", .expand, token, extents)
    builder.add("all tokens", .concat(axis: 1), tokenOfEach, tokens)
    let positions = builder.constant("positions", Seeded.tensor([1, 17, 6], seed: 4))
    let embedded = builder.add("embedded", .add, Node.ID(builder.count - 2), positions)
    builder.add("norm1", norm(5))
    if tokensFirst { builder.add("there", .transpose(order: [1, 0, 2])) }
    let normalized = Node.ID(builder.count - 1)
    let parts = ["q", "k", "v"].enumerated().map { number, name in
      builder.add(name, .seededLinear(inputs: 6, outputs: 6, seed: 10 + UInt64(number)), normalized)
      builder.add("\(name) heads", tokensFirst ? reshape([17, -1, 3]) : reshape([0, 17, 2, 3]))
      return builder.add("\(name) order", .transpose(order: tokensFirst ? [1, 0, 2] : [0, 2, 1, 3]))
    }
    let turned = builder.add("k turned", .transpose(order: tokensFirst ? [0, 2, 1] : [0, 1, 3, 2]), parts[1])
    let scores = builder.add("scores", MatrixProduct(), parts[0], turned)
    let scale = builder.constant("scale", Tensor(shape: [], elements: [0.5773503]))
    builder.add("scaled", .multiply, scores, scale)
    let weights = builder.add("attention", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    builder.add("values", MatrixProduct(), weights, parts[2])
    builder.add("back", .transpose(order: tokensFirst ? [1, 0, 2] : [0, 2, 1, 3]))
    builder.add("joined", tokensFirst ? reshape([17, -1, 6]) : reshape([0, 17, 6]))
    builder.add("projection", .seededLinear(inputs: 6, outputs: 6, seed: 14))
    if tokensFirst { builder.add("batch first", .transpose(order: [1, 0, 2])) }
    let first = builder.add("residual", .add, Node.ID(builder.count - 1), embedded)
    builder.add("norm2", norm(20))
    builder.add("up", .seededLinear(inputs: 6, outputs: 8, seed: 22))
    builder.add("gelu", .gelu(approximate: false))
    let down = builder.add("down", .seededLinear(inputs: 8, outputs: 6, seed: 23))
    builder.add("residual2", .add, first, down)
    builder.add("norm3", norm(24))
    let last = Node.ID(builder.count - 1)
    builder.add("class token", .gather(axis: 1), last, builder.integers("first", [0]))
    builder.add("class", .squeeze(axes: [1]))
    builder.add("head", .seededLinear(inputs: 6, outputs: 5, seed: 26))
    return try builder.network()
  }

  private static func input(batch: Int) -> Tensor { Seeded.tensor([batch, 3, 8, 8], seed: 9) }

  static let methods: [any AttributionMethod] = [
    LRP(), GradientTimesInput(), IntegratedGradients(steps: 3), SmoothGrad(samples: 2), CLRP1(), CLRP2(), SGLRP(),
    GradCAM(),
    LayerCAM(),
  ]
  static let tables = [RuleTable.attnLRP, .cpLRP, .viT]

  /// Maps do not depend on the position of the batch axis, for single items and batches, and for one and several
  /// targets.
  @Test(arguments: methods, tables)
  func mapsDoNotDependOnAxisOrder(method: any AttributionMethod, table: RuleTable) throws {
    let targets = [Target.class(1), .class(4), .class(0)]
    let explainers = try [false, true].map { try Explainer(Self.network(tokensFirst: $0), rules: table) }
    let batch = Self.input(batch: 3)
    let singles = try (0..<3).map { item in
      let trace = try explainers[0].trace(batch.item(item))
      return try targets.map { try trace.explain($0, by: method).signedRelevance }
    }
    for explainer in explainers {
      let trace = try explainer.trace(batch)
      #expect(trace.batch == 3)
      let together = try trace.explain(targets, by: method)
      for item in 0..<3 {
        // Noise depends on the position in a batch.
        if method is SmoothGrad, item > 0 { continue }
        let alone = try explainer.trace(batch.item(item)).explain(targets, by: method)
        for number in targets.indices {
          let expected = singles[item][number]
          #expect(expected.largestMagnitude() > 0)
          #expect(alone[number].signedRelevance.relativeDistance(from: expected) <= Tolerance.map)
          if method is SmoothGrad { continue }
          #expect(together[number].signedRelevance.item(item).relativeDistance(from: expected) <= Tolerance.map)
        }
      }
    }
  }

  /// Tokens that come before the items of a batch are treated as tokens.
  @Test func activationMapsOfTokensThatComeFirst() throws {
    let trace = try Explainer(Self.network(tokensFirst: true)).trace(Self.input(batch: 3))
    #expect(try trace.defaultCAMLayer() == "norm1")
    let targets = [Target.class(1), .class(4)]
    let expected = try GradCAM(layer: "norm1").layerMaps(of: targets, in: trace)
    let found = try GradCAM(layer: "there").layerMaps(of: targets, in: trace)
    for (found, expected) in zip(found, expected) {
      #expect(found.shape == [3, 1, 4, 4] && expected.largestMagnitude() > 0)
      #expect(found.relativeDistance(from: expected) <= Tolerance.sameMap)
    }
  }

  /// The ledger adds up for every cause. Only the expansion of the softmax is lost without a cause.
  @Test(arguments: [true, false], tables) func ledgersAddUp(tokensFirst: Bool, table: RuleTable) throws {
    let trace = try Explainer(Self.network(tokensFirst: tokensFirst), rules: table).trace(Self.input(batch: 1))
    for target in [Target.class(1), .class(2)] {
      let found = try trace.explain(target, by: .lrp)
      let (score, sum) = (Double(found.score), found.signedRelevance.sum())
      let scale = found.ledger.map(\.magnitudeIn).max() ?? 1
      #expect(abs(score - sum - found.ledger.absorbed) <= 1e-4 * scale)
      for entry in found.ledger {
        #expect(abs(entry.losses[.rounding] ?? 0) <= 1e-4 * scale, "\(entry.node)")
        #expect(entry.losses[.rule] == nil || entry.kind == .softmax, "\(entry.node)")
      }
      // The class token and the position embedding count as biases.
      for node in ["all tokens", "embedded"] { #expect(found.ledger[node]?.losses[.bias] ?? 0 != 0) }
    }
  }

  /// If attention is held constant, the nodes that compute it receive no relevance and need no rule.
  @Test func constantAttentionReceivesNothing() throws {
    let plan = try RuleTable.cpLRP.resolve(for: Self.network(tokensFirst: true))
    let names = Set(plan.assignments.map(\.site.node.name))
    #expect(names.isDisjoint(with: ["attention", "scaled", "scores", "k turned", "q", "k"]))
    #expect(names.isSuperset(of: ["values", "v", "patches"]))
    let other = try RuleTable.attnLRP.resolve(for: Self.network(tokensFirst: true))
    let halves = Set(other.assignments.map(\.site.node.name))
    #expect(halves.isSuperset(of: ["attention", "scores", "q", "k", "v"]))
  }

  /// Without a table, networks with attention use the table for transformers.
  @Test func defaultTableSupportsAttention() throws {
    let explainer = try Explainer(Self.network(tokensFirst: false))
    #expect(explainer.plan.table.name == "ViT" && explainer.plan.objection == nil)
  }

  @Test func bitsDoNotDependOnTheNumberOfThreads() throws {
    let maps = try [1, 2, 3].map { threads in
      try Explainer(Self.network(tokensFirst: true), rules: .attnLRP, threads: threads).trace(Self.input(batch: 1))
        .explain(.class(3), by: .lrp).signedRelevance
    }
    #expect(maps[0] == maps[1] && maps[0] == maps[2])
  }
}
