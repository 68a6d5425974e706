import RelevanceKit
import RelevanceTestSupport
import Testing

/// A fully connected layer and the shape of its input.
struct LinearCase: Sendable, CustomTestStringConvertible {
  let inputs: Int
  let outputs: Int
  let leading: [Int]

  var operation: any RelevanceKit.Operator {
    .seededLinear(inputs: inputs, outputs: outputs, bias: outputs % 2 == 0, seed: 5)
  }
  var input: TensorShape { TensorShape(leading + [inputs]) }
  var items: Int { leading.reduce(1, *) }
  var testDescription: String { "\(leading) items of \(inputs) to \(outputs)" }

  /// Fewer and more outputs than a block, fewer and more inputs than a task, and each way of multiplying.
  static let all: [LinearCase] =
    [(1, 1), (7, 3), (100, 33), (513, 70), (5000, 64)].flatMap { inputs, outputs in
      [[1], [2], [5]].map { LinearCase(inputs: inputs, outputs: outputs, leading: $0) }
    } + [
      LinearCase(inputs: 20, outputs: 10, leading: [2, 3]), LinearCase(inputs: 30, outputs: 33, leading: [2, 20]),
      LinearCase(inputs: 1300, outputs: 150, leading: [3, 11]), LinearCase(inputs: 5, outputs: 600, leading: [200]),
      LinearCase(inputs: 400, outputs: 50, leading: [2, 130]), LinearCase(inputs: 33, outputs: 801, leading: [97]),
    ]
}

/// The fully connected kernel, against loops over its definition in double precision.
@Suite struct FullyConnectedTests {
  @Test(arguments: LinearCase.all)
  func productsMatchTheDefinition(of one: LinearCase) throws {
    let (layer, oracle, bias) = try Self.layer(one)
    let x = Seeded.tensor(one.input, seed: 1)
    let sums = oracle.product(.all, x.doubles).enumerated().map { $1 + (bias?[$0 % one.outputs] ?? 0) }
    let positive = oracle.product(.positive, x.doubles)
    let output = layer.forward(x)
    #expect(output.shape.dimensions == one.leading + [one.outputs])
    #expect(output.largestDifference(from: sums) <= Tolerance.singlePrecision)
    #expect(layer.forward(x, rectifies: true) == output.positivePart)
    let both = layer.forwardWithSideProduct(x, rectifies: true)
    #expect(both.output.largestDifference(from: sums.map { max($0, 0) }) <= Tolerance.singlePrecision)
    #expect(both.sideProduct.largestDifference(from: positive) <= Tolerance.singlePrecision)
    for part in [WeightPart.all, .positive, .negative] {
      let expected = oracle.product(part, x.doubles)
      #expect(layer.product(part, x).largestDifference(from: expected) <= Tolerance.singlePrecision, "\(part)")
      let start = Seeded.tensor(output.shape, seed: 2)
      #expect(
        layer.product(part, x, addedTo: start).largestDifference(from: zip(start.doubles, expected).map(+))
          <= Tolerance.singlePrecision, "\(part), added")
    }
  }

  /// The outputs, or the rows, that receive relevance.
  enum Seeds: CaseIterable { case dense, scattered, together, someRows, oneRow, none }

  @Test(arguments: LinearCase.all, Seeds.allCases)
  func adjointsMatchTheDefinition(of one: LinearCase, from which: Seeds) throws {
    let (layer, oracle, _) = try Self.layer(one)
    let x = Seeded.tensor(one.input, seed: 1)
    for seeds in [1, 3] {
      let shape = TensorShape([one.leading[0] * seeds] + one.leading.dropFirst() + [one.outputs])
      var s = Seeded.tensor(shape, seed: 3)
      let third = one.outputs / 3..<max(2 * one.outputs / 3, 1)
      s.withUnsafeMutableElements { s in
        for i in s.indices {
          let isLeftOut =
            switch which {
            case .dense: false
            case .scattered: i % 7 != 2
            case .together: !third.contains(i % one.outputs)
            case .someRows: i / one.outputs % 3 != 1
            case .oneRow: i / one.outputs != shape.count / one.outputs / 2
            case .none: true
            }
          if isLeftOut { s[i] = 0 }
        }
      }
      for part in [WeightPart.all, .positive, .negative] {
        let expected = oracle.adjoint(part, s.doubles)
        let found = layer.adjoint(part, s, seeds: seeds)
        #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(part), \(seeds) seeds")
        let factors = x.doubles
        let item = one.input.count / one.leading[0]
        let multiplied = expected.indices.map { expected[$0] * factors[$0 / item / seeds * item + $0 % item] }
        #expect(
          layer.adjoint(part, s, seeds: seeds, factor: x).largestDifference(from: multiplied)
            <= Tolerance.singlePrecision,
          "\(part), \(seeds) seeds, with a factor")
      }
    }
  }

  @Test(arguments: LinearCase.all)
  func bitsDoNotDependOnThreads(of one: LinearCase) throws {
    let x = Seeded.tensor(one.input, seed: 1)
    func results(threads: Int) throws -> [[UInt32]] {
      let layer = try WeightedLayer(one.operation, input: one.input, threads: threads)
      let both = layer.forwardWithSideProduct(x)
      let s = Seeded.tensor(both.output.shape.withBatch(one.leading[0] * 3), seed: 3)
      return [both.output, both.sideProduct, layer.product(.negative, x), layer.adjoint(.positive, s, seeds: 3)].map(
        \.bits)
    }
    let expected = try results(threads: 1)
    for threads in [2, 3, 5] { #expect(try results(threads: threads) == expected, "\(threads) threads") }
  }

  private static func layer(_ one: LinearCase) throws -> (
    layer: WeightedLayer, oracle: NaiveConvolution, bias: [Double]?
  ) {
    guard let linear = one.operation as? Linear else { preconditionFailure("a case is a fully connected layer") }
    return (try WeightedLayer(one.operation, input: one.input), NaiveConvolution(linear), linear.bias?.doubles)
  }
}
