import RelevanceKit
import RelevanceTestSupport
import Testing

/// Rules for products, equal shares, and normalizations by their expansion.
@Suite struct GateRuleTests {
  static let item = [4, 3, 5]
  static let x = Seeded.tensor([2, 4, 3, 5], seed: 1)

  /// A squeeze-and-excitation block: a signal, and a gate with one number per channel that is computed from it.
  private static func excitation() throws -> NeuralNetwork {
    var builder = GraphBuilder(item: item)
    let signal = builder.add("signal", .relu)
    builder.add("squeeze", .mean(axes: [2, 3], keepsAxes: true))
    builder.add("excite", try .seededConvolution(inputs: 4, outputs: 4, kernel: [1, 1], seed: 2))
    let gate = builder.add("gate", .sigmoid)
    builder.add("scale", .multiply, gate, signal)
    return try builder.network()
  }

  static let table = RuleTable.of(.init(.operators(.relu), PassRule()), .init(.operators(.mul), SignalTakesAllRule()))

  /// The signal receives all relevance; the nodes that compute the gate need no rule.
  @Test func theGateReceivesNothing() throws {
    let walk = try Walk(Self.excitation(), Self.table, Self.x)
    #expect(walk.plan.assignments.map(\.site.node.name) == ["signal", "scale"])
    let r = Seeded.tensor([6, 4, 3, 5], seed: 3)
    #expect(walk.relevance(from: "scale", r, count: 3) == r)
    #expect(walk.ledger(from: "scale", Seeded.tensor([2, 4, 3, 5], seed: 3)).allSatisfy { $0.losses.isEmpty })
  }

  /// If the gate cannot be distinguished, the rule objects; equal shares need no gate.
  @Test(arguments: [true, false]) func productsWithoutAGate(isBounded: Bool) throws {
    var builder = GraphBuilder(item: Self.item)
    let a = builder.add("a", isBounded ? .sigmoid : .relu)
    let b = builder.add("b", isBounded ? .tanh : .relu, builder.input)
    builder.add("product", .multiply, a, b)
    let network = try builder.network()
    let passes = RuleTable.Row(.operators(.relu, .sigmoid, .tanh), PassRule())
    let error = #expect(throws: RuleTableError.self) {
      try RuleTable.of(passes, .init(.operators(.mul), SignalTakesAllRule())).resolve(for: network)
    }
    #expect(
      error?.description
        == "rule table test: signalTakesAll at product: it cannot distinguish the signal from the gate: expected operands "
        + "whose values have different limits")
    let walk = try Walk(network, .of(passes, .init(.operators(.mul), EqualSharesRule())), Self.x)
    let r = Seeded.tensor([2, 4, 3, 5], seed: 3)
    #expect(walk.relevance(from: "product", r, to: "a") == r.map { $0 / 2 })
    #expect(walk.relevance(from: "product", r).largestDifference(from: r) <= Tolerance.singlePrecision)
  }

  /// A constant is always a gate, on either side.
  @Test(arguments: [true, false]) func constantsAreGates(constantFirst: Bool) throws {
    for rule in [SignalTakesAllRule(), EqualSharesRule()] as [any Rule] {
      var builder = GraphBuilder(item: Self.item)
      let constant = builder.constant("constant", Seeded.tensor([4, 1, 1], seed: 4, low: -3, high: 3))
      let input = builder.input
      builder.add("product", .multiply, constantFirst ? constant : input, constantFirst ? input : constant)
      let walk = try Walk(builder.network(), .of(.init(.operators(.mul), rule)), Self.x)
      let r = Seeded.tensor([2, 4, 3, 5], seed: 3)
      #expect(walk.relevance(from: "product", r) == r)
    }
  }

  /// A value times `1 + erf(x)`, as in GELU, is a signal times a gate.
  @Test func errorFunctionsAreGates() throws {
    var builder = GraphBuilder(item: Self.item)
    let root = builder.constant("root", Tensor(shape: [1], elements: [1.5]))
    let scaled = builder.add("scaled", .divide, builder.input, root)
    let erf = builder.add("erf", .erf, scaled)
    let shifted = builder.add("shifted", .add, erf, builder.constant("one", Tensor(shape: [1], elements: [1])))
    let product = builder.add("product", .multiply, builder.input, shifted)
    builder.add("half", .multiply, product, builder.constant("half of it", Tensor(shape: [1], elements: [0.5])))
    let walk = try Walk(builder.network(), Self.table, Self.x)
    let r = Seeded.tensor([2, 4, 3, 5], seed: 3)
    #expect(walk.relevance(from: "half", r) == r)
  }

  // MARK: Taylor

  /// LRN against the terms of its expansion, channel by channel, in double precision.
  @Test(arguments: [(3, Float(0)), (5, 0), (4, 1e-2)]) func taylorOfLRN(size: Int, epsilon: Float) throws {
    let (alpha, beta, k) = (0.5, 0.75, 2.0)
    var builder = GraphBuilder(item: [6, 2, 3])
    builder.add(
      "norm",
      .localResponseNormalization(
        LocalResponseNormalization(size: size, alpha: Float(alpha), beta: Float(beta), bias: Float(k))))
    let x = Seeded.tensor([2, 6, 2, 3], seed: 1, low: -2, high: 2)
    let walk = try Walk(builder.network(), .of(.init(RuleTable.Selector(), TaylorRule(epsilon: epsilon))), x)
    for seeds in [1, 3] {
      let r = Seeded.tensor([2 * seeds, 6, 2, 3], seed: 2)
      let (values, relevance) = (x.repeatingItems(seeds), r.doubles)
      var expected = [Double](repeating: 0, count: r.count)
      for item in 0..<2 * seeds {
        for position in 0..<6 {
          let at = { (channel: Int) in (item * 6 + channel) * 6 + position }
          for j in 0..<6 {
            let channels = (0..<6).filter { $0 >= j - (size - 1) / 2 && $0 <= j + size / 2 }
            let a = alpha / Double(size)
            let sum = channels.reduce(0) { $0 + values[at($1)] * values[at($1)] }
            let terms = channels.map { i -> Double in
              let (xj, xi) = (values[at(j)], values[at(i)])
              return i == j
                ? xj * power(k + a * xj * xj, -beta) : -2 * a * beta * xj * xi * xi * power(k + a * sum, -beta - 1)
            }
            let z = terms.reduce(0, +)
            for (i, term) in zip(channels, terms) {
              expected[at(i)] += term / (z + (z > 0 ? Double(epsilon) : -Double(epsilon))) * relevance[at(j)]
            }
          }
        }
      }
      #expect(walk.relevance(from: "norm", r, count: seeds).largestDifference(from: expected) <= 1e-4)
    }
  }

  /// Without neighbors, the expansion of LRN has a single term: relevance passes unchanged.
  @Test func taylorOfOneChannelPasses() throws {
    var builder = GraphBuilder(item: [1, 2, 3])
    builder.add("norm", .localResponseNormalization(LocalResponseNormalization(size: 1, alpha: 1, beta: 0.75, bias: 1)))
    let walk = try Walk(
      builder.network(), .of(.init(RuleTable.Selector(), TaylorRule(epsilon: 0))), Seeded.tensor([1, 1, 2, 3], seed: 1))
    let r = Seeded.tensor([1, 1, 2, 3], seed: 2)
    #expect(walk.relevance(from: "norm", r).largestDifference(from: r) <= Tolerance.singlePrecision)
  }

  /// A normalization with a constant deviation is a linear layer, and its shift is a bias.
  @Test(arguments: Normalized.allCases, TaylorRule.Bias.allCases)
  func taylorOfNormalizations(normalized: Normalized, bias: TaylorRule.Bias) throws {
    let (scale, shift) = (
      Seeded.tensor([normalized.parameters], seed: 3, low: 0.5, high: 2),
      Seeded.tensor([normalized.parameters], seed: 4)
    )
    var builder = GraphBuilder(item: [4, 5])
    builder.add("norm", normalized.operation(scale, shift))
    let x = Seeded.tensor([2, 4, 5], seed: 1)
    let walk = try Walk(builder.network(), .of(.init(RuleTable.Selector(), TaylorRule(epsilon: 1e-2, bias: bias))), x)
    let r = Seeded.tensor([2, 4, 5], seed: 2)
    var (expected, kept) = ([Double](), 0.0)
    let (g, b, size) = (scale.doubles, shift.doubles, normalized.size)
    for start in stride(from: 0, to: 40, by: size) {
      let values = Array(x.doubles[start..<start + size])
      let mean = values.reduce(0, +) / Double(size)
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size) + 1e-3).squareRoot()
      var result = [Double](repeating: 0, count: size)
      for j in 0..<size {
        let (channel, column) = ((start + j) / 5 % 4, (start + j) % 5)
        let parameter = normalized == .layer ? column : channel
        let terms = (0..<size).map { i in
          g[parameter] / deviation * ((i == j ? 1 : 0) - 1 / Double(size)) * values[i]
        }
        let own = bias == .absorbed ? b[parameter] : 0
        let z = terms.reduce(own, +)
        let s = r.doubles[start + j] / (z + (z > 0 ? 1e-2 : -1e-2))
        kept += own * s
        for i in 0..<size { result[i] += terms[i] * s }
      }
      expected += result
    }
    #expect(walk.relevance(from: "norm", r).largestDifference(from: expected) <= 1e-4)
    let entry = try #require(walk.ledger(from: "norm", r).first)
    #expect(abs((entry.losses[.bias] ?? 0) - kept) <= 1e-4 * entry.magnitudeOut)
    #expect(abs(entry.losses[.rounding] ?? 0) <= 1e-5 * entry.magnitudeOut)
  }

  /// Normalizations of 4 channels × 5 columns.
  enum Normalized: CaseIterable {
    case layer
    case instance
    case group

    var parameters: Int { self == .layer ? 5 : 4 }
    /// The number of neighboring elements that are normalized together.
    var size: Int { self == .group ? 10 : 5 }
    func operation(_ scale: Tensor, _ shift: Tensor) -> any RelevanceKit.Operator {
      switch self {
      case .layer: LayerNormalization(axis: -1, scale: scale, shift: shift, epsilon: 1e-3)
      case .instance: GroupNormalization(groups: nil, scale: scale, shift: shift, epsilon: 1e-3)
      case .group: GroupNormalization(groups: 2, scale: scale, shift: shift, epsilon: 1e-3)
      }
    }
  }

  /// xʸ in double precision, without the library that the rule uses.
  private func power(_ x: Double, _ y: Double) -> Double {
    // Only multiples of ¼ occur.
    let quarter = x.squareRoot().squareRoot()
    let steps = Int((abs(y) * 4).rounded())
    let result = (0..<steps).reduce(1.0) { product, _ in product * quarter }
    return y < 0 ? 1 / result : result
  }
}
