import RelevanceKit
import RelevanceTestSupport
import Testing

/// Products of matrices that both depend on the input: values, derivatives and rules, against loops in double
/// precision.
@Suite struct MatrixProductTests {
  /// The operands of a product, each a part of one list, so that a network with a single input has both.
  struct Case: Sendable, CustomTestStringConvertible {
    let a: [Int]
    let b: [Int]
    let output: [Int]
    var testDescription: String { "\(a)·\(b)" }
    var sizes: (a: Int, b: Int) { (a.reduce(1, *), b.reduce(1, *)) }
  }

  /// Shapes without the batch axis.
  static let cases = [
    Case(a: [3, 4], b: [4, 5], output: [3, 5]), Case(a: [2, 3, 4], b: [2, 4, 1], output: [2, 3, 1]),
    Case(a: [2, 3, 4], b: [1, 4, 5], output: [2, 3, 5]), Case(a: [1, 1, 4], b: [3, 4, 2], output: [3, 1, 2]),
    Case(a: [2, 1, 3, 7], b: [1, 3, 7, 2], output: [2, 3, 3, 2]), Case(a: [100, 3], b: [3, 40], output: [100, 40]),
    Case(a: [3, 700], b: [700, 2], output: [3, 2]),
  ]

  /// The input is one list per item: the first part is the left operand, the rest the right operand.
  static func network(_ shape: Case, squashing: Bool = false) throws -> NeuralNetwork {
    let (a, b) = shape.sizes
    var builder = GraphBuilder(item: [a + b])
    func part(_ name: String, _ from: Int, _ to: Int, _ extents: [Int]) -> Node.ID {
      builder.add("\(name)_part", .slice(Slice(starts: [from], ends: [to], axes: [1])), builder.input)
      return builder.add(name, .reshape(extents: .fixed([0] + extents), allowZero: false))
    }
    var left = part("a", 0, a, shape.a)
    let right = part("b", a, a + b, shape.b)
    if squashing { left = builder.add("attention", .sigmoid, left) }
    builder.add("product", MatrixProduct(), left, right)
    return try builder.network()
  }

  /// Calls `body` for each term of each element, with the positions in the operands and the output, for the given
  /// number of items.
  static func forEachTerm(_ shape: Case, items: Int, _ body: (_ a: Int, _ b: Int, _ output: Int) -> Void) {
    let (rows, depth, columns) = (shape.a.dropLast().last!, shape.a.last!, shape.b.last!)
    let leading = shape.output.dropLast(2)
    func place(_ extents: [Int], _ index: [Int]) -> Int {
      zip(extents, index.suffix(extents.count)).reduce(0) { $0 * $1.0 + ($1.0 == 1 ? 0 : $1.1) }
    }
    for item in 0..<items {
      for number in 0..<leading.reduce(1, *) {
        let index = TensorShape(Array(leading)).coordinates(of: number)
        let (a, b) = (
          place(Array(shape.a.dropLast(2)), index) + item * shape.a.dropLast(2).reduce(1, *),
          place(Array(shape.b.dropLast(2)), index) + item * shape.b.dropLast(2).reduce(1, *)
        )
        let output = item * leading.reduce(1, *) + number
        for row in 0..<rows {
          for column in 0..<columns {
            for p in 0..<depth {
              let (left, right) = ((a * rows + row) * depth + p, (b * depth + p) * columns + column)
              body(left, right, (output * rows + row) * columns + column)
            }
          }
        }
      }
    }
  }

  private static func operands(_ x: Tensor, _ shape: Case) -> (a: [Double], b: [Double]) {
    let (a, b) = shape.sizes
    let items = (0..<x.shape[0]).map { Array(x.doubles[$0 * (a + b)..<($0 + 1) * (a + b)]) }
    return (items.flatMap { $0.prefix(a) }, items.flatMap { $0.suffix(b) })
  }

  @Test(arguments: cases) func valuesAndDerivatives(shape: Case) throws {
    let (a, b) = shape.sizes
    let x = Seeded.tensor([2, a + b], seed: 1)
    let table = RuleTable.of(.init(RuleTable.Selector(), GradientRule()))
    let walk = try Walk(Self.network(shape), table, x)
    let values = Self.operands(x, shape)
    let count = shape.output.reduce(1, *)
    var expected = [Double](repeating: 0, count: 2 * count)
    Self.forEachTerm(shape, items: 2) { expected[$2] += values.a[$0] * values.b[$1] }
    #expect(walk.value("product").largestDifference(from: expected) <= Tolerance.singlePrecision)
    for seeds in [1, 3] {
      let s = Seeded.tensor(TensorShape([2 * seeds] + shape.output), seed: 2)
      var slopes = [Double]()
      for row in 0..<2 * seeds {
        let item = row / seeds
        var (da, db) = ([Double](repeating: 0, count: a), [Double](repeating: 0, count: b))
        Self.forEachTerm(shape, items: 1) { i, j, o in
          let r = s.doubles[row * count + o]
          da[i] += values.b[item * b + j] * r
          db[j] += values.a[item * a + i] * r
        }
        slopes += da + db
      }
      let found = walk.relevance(from: "product", s, count: seeds)
      #expect(found.largestDifference(from: slopes) <= Tolerance.singlePrecision)
    }
    // Identical bits for any number of threads.
    let s = Seeded.tensor(TensorShape([2] + shape.output), seed: 2)
    let others = try [1, 3].map { try Walk(Self.network(shape), table, x, threads: $0) }
    for other in others {
      #expect(other.value("product") == walk.value("product"))
      #expect(other.relevance(from: "product", s) == walk.relevance(from: "product", s))
    }
  }

  @Test(arguments: cases, MatrixProductRule.Shares.allCases)
  func sharesByDefinition(shape: Case, shares: MatrixProductRule.Shares) throws {
    let (a, b) = shape.sizes
    let x = Seeded.tensor([2, a + b], seed: 1, low: -1, high: 2)
    let epsilon = 1e-2
    let rule = MatrixProductRule(shares: shares, epsilon: Float(epsilon))
    let walk = try Walk(Self.network(shape), .of(.init(.operators(.batchMatMul), rule)), x)
    let values = Self.operands(x, shape)
    let count = shape.output.reduce(1, *)
    var product = [Double](repeating: 0, count: 2 * count)
    Self.forEachTerm(shape, items: 2) { product[$2] += values.a[$0] * values.b[$1] }
    let parts = shares == .halves ? 2.0 : 1
    for seeds in [1, 2] {
      let r = Seeded.tensor(TensorShape([2 * seeds] + shape.output), seed: 2)
      var (expected, kept) = ([Double](), 0.0)
      for row in 0..<2 * seeds {
        let item = row / seeds
        var (ra, rb) = ([Double](repeating: 0, count: a), [Double](repeating: 0, count: b))
        func ratio(_ o: Int) -> Double {
          let z = product[item * count + o]
          return z == 0 ? 0 : r.doubles[row * count + o] / (parts * z + (z > 0 ? epsilon : -epsilon))
        }
        Self.forEachTerm(shape, items: 1) { i, j, o in
          let share = values.a[item * a + i] * values.b[item * b + j] * ratio(o)
          if shares == .halves { ra[i] += share }
          rb[j] += share
        }
        if row % seeds == 0 {
          kept += (0..<count).reduce(0) { $0 + ratio($1) * (product[item * count + $1] > 0 ? epsilon : -epsilon) }
        }
        expected += ra + rb
      }
      #expect(walk.relevance(from: "product", r, count: seeds).largestDifference(from: expected) <= 1e-4)
      let entry = try #require(walk.ledger(from: "product", r, count: seeds).first)
      #expect(abs((entry.losses[.stabilizer] ?? 0) - kept) <= 1e-4 * entry.magnitudeIn)
      #expect(abs(entry.losses[.rounding] ?? 0) <= 1e-5 * entry.magnitudeOut)
      #expect(entry.losses[.rule] == nil)
    }
  }

  /// Attention is the operand with the smaller upper bound, on either side.
  @Test func valuesAreNotAttention() throws {
    for isRight in [false, true] {
      var builder = GraphBuilder(item: [3, 3])
      let input = builder.input
      let attention = builder.add("attention", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)), input)
      builder.add("product", MatrixProduct(), isRight ? input : attention, isRight ? attention : input)
      let walk = try Walk(
        builder.network(), .of(.init(.operators(.batchMatMul), MatrixProductRule(shares: .valuesOnly))),
        Seeded.tensor([1, 3, 3], seed: 1))
      #expect(walk.plan.assignments.map(\.site.node.name) == ["product"])
    }
  }

  /// An output that is 0 sends no relevance.
  @Test func zeroDenominators() throws {
    let shape = Case(a: [1, 2], b: [2, 1], output: [1, 1])
    let x = Tensor(shape: [1, 4], elements: [1, -1, 2, 2])
    let rule = MatrixProductRule(shares: .halves)
    let walk = try Walk(Self.network(shape), .of(.init(.operators(.batchMatMul), rule)), x)
    let r = Tensor(shape: [1, 1, 1], elements: [3])
    #expect(walk.relevance(from: "product", r).elements == [0, 0, 0, 0])
    #expect(walk.ledger(from: "product", r).first?.losses == [.zeroDenominator: 3])
  }

  // MARK: Related rules

  @Test(arguments: [(1, false), (-1, false), (2, true)]) func softmaxByItsExpansion(axis: Int, joins: Bool) throws {
    var builder = GraphBuilder(item: [3, 4, 5])
    builder.add("softmax", .softmax(Softmax(axis: axis, joinsTrailingAxes: joins)))
    builder.add("behind it", .tanh)
    let x = Seeded.tensor([2, 3, 4, 5], seed: 1, low: -2, high: 2)
    let walk = try Walk(
      builder.network(), .of(.init(.operators(.softmax), SoftmaxRule()), .init(.operators(.tanh), PassRule())), x)
    let shape = x.shape
    func group(_ place: Int) -> [Int] {
      let c = shape.coordinates(of: place)
      return (0..<60).map { c[0] * 60 + $0 }.filter { other in
        let d = shape.coordinates(of: other)
        return joins ? d[1] == c[1] : (1..<4).allSatisfy { $0 == (axis < 0 ? 3 : axis) || d[$0] == c[$0] }
      }
    }
    for seeds in [1, 3] {
      let r = Seeded.tensor([2 * seeds, 3, 4, 5], seed: 2)
      let expected = (0..<r.count).map { place -> Double in
        let (row, own) = (place / 60, place % 60)
        let members = group(row / seeds * 60 + own)
        let total = members.reduce(0) { $0 + exponential(x.doubles[$1]) }
        let sum = members.reduce(0) { $0 + r.doubles[row * 60 + $1 % 60] }
        let value = x.doubles[row / seeds * 60 + own]
        return value * (r.doubles[place] - exponential(value) / total * sum)
      }
      #expect(walk.relevance(from: "softmax", r, count: seeds).largestDifference(from: expected) <= 1e-4)
    }
  }

  /// Masked elements receive no relevance.
  @Test func softmaxOfMaskedScores() throws {
    var builder = GraphBuilder(item: [3])
    let mask = builder.constant("mask", Tensor(shape: [3], elements: [0, -.infinity, 0]))
    builder.add("masked", .add, builder.input, mask)
    builder.add("softmax", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    builder.add("behind it", .tanh)
    let table = RuleTable.of(
      .init(.operators(.tanh), PassRule()),
      .init(.operators(.softmax), SoftmaxRule()), .init(.operators(.add), ShareBySummandRule(bias: .absorbed)))
    let walk = try Walk(builder.network(), table, Tensor(shape: [1, 3], elements: [1, 2, 3]))
    let r = Tensor(shape: [1, 3], elements: [1, 0, 2])
    let map = walk.relevance(from: "softmax", r).elements
    #expect(map.allSatisfy(\.isFinite) && map[1] == 0 && map[0] != 0)
    #expect(walk.ledger(from: "softmax", r).allSatisfy { $0.relevanceOut.isFinite })
  }

  /// The share of a constant summand is absorbed, as a bias.
  @Test(arguments: [true, false]) func absorbedSummands(isSubtracted: Bool) throws {
    var builder = GraphBuilder(item: [4, 3])
    let constant = builder.constant("constant", Seeded.tensor([3], seed: 4))
    builder.add("sum", isSubtracted ? .subtract as any RelevanceKit.Operator : .add, builder.input, constant)
    let x = Seeded.tensor([2, 4, 3], seed: 1)
    let rule = ShareBySummandRule(bias: .absorbed)
    let walk = try Walk(builder.network(), .of(.init(.operators(.add, .sub), rule)), x)
    let (r, c) = (Seeded.tensor([2, 4, 3], seed: 2).doubles, Seeded.tensor([3], seed: 4).doubles)
    let sign = isSubtracted ? -1.0 : 1
    let shares = x.doubles.indices.map { i in x.doubles[i] / (x.doubles[i] + sign * c[i % 3]) * r[i] }
    let tensor = Seeded.tensor([2, 4, 3], seed: 2)
    #expect(walk.relevance(from: "sum", tensor).largestDifference(from: shares) <= 1e-4)
    let entry = try #require(walk.ledger(from: "sum", tensor).first)
    let kept = zip(r, shares).reduce(0) { $0 + $1.0 - $1.1 }
    #expect(abs((entry.losses[.bias] ?? 0) - kept) <= 1e-4 * entry.magnitudeOut)
    #expect(abs(entry.losses[.rounding] ?? 0) <= 1e-4 * entry.magnitudeOut)
  }

  /// The share of a constant that is concatenated to other values is absorbed under every table.
  @Test func concatenatedConstantsAbsorb() throws {
    var builder = GraphBuilder(input: [1, 4, 3])
    let token = builder.constant("token", Seeded.tensor([1, 1, 3], seed: 4))
    builder.add("tokens", .concat(axis: 1), token, builder.input)
    let walk = try Walk(builder.network(), .of(), Seeded.tensor([1, 4, 3], seed: 1))
    let r = Seeded.tensor([1, 5, 3], seed: 2)
    let kept = Double(r.elements.prefix(3).reduce(0, +))
    let entry = try #require(walk.ledger(from: "tokens", r).first)
    #expect(abs((entry.losses[.bias] ?? 0) - kept) <= 1e-6)
    #expect(abs(entry.losses[.rounding] ?? 0) <= 1e-6)
  }

  // MARK: Tables

  /// The error of a table without a rule for products lists the tables with one.
  @Test func tablesWithoutARuleForProducts() throws {
    let network = try Self.network(Self.cases[0])
    let error = #expect(throws: RuleTableError.self) { try RuleTable.default(pixelRange: nil).resolve(for: network) }
    #expect(
      error?.description
        == "rule table default: no rule for products of two tensors that both depend on the image, as in attention (1 "
        + "BatchMatMul node, first product); expected a table with such a rule: AttnLRP, CP-LRP, ViT")
    #expect(RuleTable.recommended(for: network, pixelRange: nil).name == "ViT")
    for table in [RuleTable.attnLRP, .cpLRP, .viT] { #expect(throws: Never.self) { try table.resolve(for: network) } }
    #expect(try RuleTable.recommended(for: SampleNetwork.branched.network(), pixelRange: nil).name == "default")
  }
}

/// `eˣ` by its series, in halves.
private func exponential(_ x: Double) -> Double {
  if abs(x) > 0.5 { return exponential(x / 2) * exponential(x / 2) }
  return (1...20).reversed().reduce(1) { 1 + x / Double($1) * $0 }
}
