import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The table `default` has a rule for every operator.
@Suite struct DefaultTableTests {
  /// Functions of two values that both depend on the input, with the share of relevance that each value receives.
  enum Pair: CaseIterable {
    case subtract, divide, power, maximum, minimum, multiply

    var operation: any RelevanceKit.Operator {
      switch self {
      case .subtract: Subtract()
      case .divide: Divide()
      case .power: Power()
      case .maximum: Maximum()
      case .minimum: Minimum()
      case .multiply: Multiply()
      }
    }
    var rule: String {
      switch self {
      case .subtract: "shareBySummand"
      case .divide, .power: "signalTakesAll"
      case .maximum, .minimum: "winnerTakesAll(ties: first)"
      case .multiply: "equalShares"
      }
    }
    func shares(_ a: Double, _ b: Double) -> (Double, Double) {
      switch self {
      case .subtract: a == b ? (0, 0) : (a / (a - b), -b / (a - b))
      case .divide, .power: (1, 0)
      case .maximum: a >= b ? (1, 0) : (0, 1)
      case .minimum: a <= b ? (1, 0) : (0, 1)
      case .multiply: (0.5, 0.5)
      }
    }
  }

  @Test(arguments: Pair.allCases) func pairs(pair: Pair) throws {
    var builder = GraphBuilder(item: [3, 4, 5])
    let a = builder.add("a", .relu)
    let b = builder.add("b", .softplus, builder.input)
    builder.add("pair", pair.operation, a, b)
    let x = Seeded.tensor([2, 3, 4, 5], seed: 1)
    let walk = try Walk(builder.network(), .default(pixelRange: nil), x)
    #expect(walk.plan[Node.ID(3)]?.rule.description == pair.rule)
    let r = Seeded.tensor([2, 3, 4, 5], seed: 2)
    let values = x.doubles.map { (max($0, 0), log1p(exp($0))) }
    let expected = zip(values, r.doubles).map { value, r in pair.shares(value.0, value.1).0 * r }
    #expect(walk.relevance(from: "pair", r, to: "a").largestDifference(from: expected) <= 1e-4 * 100)
  }

  /// Every elementwise function passes relevance.
  @Test func functions() throws {
    for operation in [Exp(), Abs(), Erf(), Reciprocal(), Tanh()] as [any RelevanceKit.Operator] {
      var builder = GraphBuilder(item: [3, 4])
      builder.add("f", operation)
      let walk = try Walk(
        builder.network(), .default(pixelRange: nil), Seeded.tensor([1, 3, 4], seed: 1, low: 0.5, high: 2))
      let r = Seeded.tensor([1, 3, 4], seed: 2)
      #expect(walk.relevance(from: "f", r) == r, "\(operation.kind)")
    }
  }

  /// A product over axes distributes equal shares, and a minimum sends relevance to its position.
  @Test func reductions() throws {
    let x = Seeded.tensor([2, 3, 4], seed: 1, low: 0.5, high: 2)
    let r = Seeded.tensor([2, 3, 1], seed: 2)
    for kind in [Reduction.Function.product, .minimum] {
      var builder = GraphBuilder(item: [3, 4])
      builder.add("f", .reduce(Reduction(kind, axes: .fixed([2]), keepsAxes: true)))
      let found = try Walk(builder.network(), .default(pixelRange: nil), x).relevance(from: "f", r)
      var expected: [Double] = []
      for row in 0..<6 {
        let values = Array(x.doubles[row * 4..<row * 4 + 4])
        for value in values {
          expected.append(r.doubles[row] * (kind == .product ? 0.25 : value == values.min() ? 1 : 0))
        }
      }
      #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision)
    }
  }

  /// An optional row does not apply where its rule cannot be used, and the plan contains a warning.
  @Test func optionalRows() throws {
    var builder = GraphBuilder(item: [3, 4, 5])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 2, kernel: [3, 3], seed: 1))
    let network = try builder.network()
    let plan = try RuleTable.default(pixelRange: nil).resolve(for: network)
    #expect(plan.assignments.map(\.rule.description) == ["zPlus"])
    #expect(
      plan.warnings.contains {
        $0.hasPrefix("conv (Conv) has rule zPlus, not zB: the range of its input, one interval per channel, cannot be")
      })
    let boxed = try RuleTable.default(pixelRange: .imageNet).resolve(for: network)
    #expect(boxed.assignments.map(\.rule.description) == ["zB"])
    #expect(throws: RuleTableError.self) { try RuleTable.paper(pixelRange: nil).resolve(for: network) }
  }
}
