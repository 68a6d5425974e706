import RelevanceKit
import RelevanceTestSupport
import Testing

/// Dependencies of elements, compared with runs in which one input element changes: the test vectors of every operator,
/// random networks and random chains of nodes.
@Suite struct SourceSweepTests {
  /// Changes of a value that are visible through rectifiers, maxima, rounding and comparisons.
  static let changes: [@Sendable (Float) -> Float] = [
    { $0 + 0.37 }, { $0 - 0.61 }, { $0 + 3 }, { $0 - 5 }, { $0 * 40 + 11 }, { -$0 * 40 - 11 }, { 1 - $0 }, { _ in 0 },
  ]

  /// The number of output elements with exactly the sources that were found, and of those with fewer.
  struct Tally {
    var exact = 0
    var loose = 0
    /// The networks with fewer sources, and the kinds of their nodes.
    var looseNetworks: [String: Set<String>] = [:]
  }

  /// Kinds whose values can hide a change: clipped or losing values, differences of an element to itself, and shares of
  /// a single element.
  static let hiding: Set = [
    "Relu", "Clip", "Min", "Max", "ReduceMin", "ReduceMax", "MaxPool", "GlobalMaxPool", "Sub", "Softmax",
  ]

  /// Vectors with other values that hide changes: constants of zeros and ones, rounding, decisions, norms of zeros, a
  /// weight of about 1e-8.
  static let hidingVectors = [
    "affine_grid", "bitwise", "clip", "cumsum", "einsum_batch_matmul_bfloat16", "hardmax", "l1normalization",
    "l2normalization", "lpnormalization", "nllloss", "onehot", "pow_types", "reduce_max", "reduce_prod",
    "resize_downsample_scales_cubic_antialias", "where_example",
  ]

  /// Compares all sources with changes. The sources that the oracle finds must all be there.
  static func compare(_ network: NeuralNetwork, _ input: Tensor, _ name: String, _ tally: inout Tally) throws {
    let node = network.graph.output
    guard input.shape.count > 0, let oracle = try? PerturbedInputs(network, input) else { return }
    let walk = SourceWalk(from: node, in: network, network.graph.partlyInferred(forInput: input.shape))
    let shape = try network.graph.shapes(forInput: input.shape)[node.index]
    let inputs = sample(input.shape.count, 48)
    let changed = inputs.map { oracle.changed(by: $0, changes) }
    for element in sample(shape.count, 40) {
      let flags =
        walk.map { walk in
          walk.sources(of: ElementSet(shape, flags: (0..<shape.count).map { $0 == element })).flags
        } ?? [Bool](repeating: false, count: input.shape.count)
      let pairs = zip(inputs, changed).map { (claimed: flags[$0], found: $1[element]) }
      #expect(pairs.allSatisfy { $0.claimed || !$0.found }, "\(name): element \(element) of \(shape)")
      if pairs.allSatisfy({ $0.claimed == $0.found }) {
        tally.exact += 1
      } else {
        tally.loose += 1
        tally.looseNetworks[name] = Set(network.graph.nodes.map(\.kind.name))
      }
    }
  }

  /// Up to `most` numbers below a count, evenly spaced.
  private static func sample(_ count: Int, _ most: Int) -> [Int] {
    count <= most ? Array(0..<count) : (0..<most).map { $0 * count / most }
  }

  private static func expectExactness(_ tally: Tally, atLeast count: Int) {
    #expect(tally.exact >= count)
    for (name, kinds) in tally.looseNetworks {
      #expect(!kinds.isDisjoint(with: hiding), "\(name): sources that nothing depends on")
    }
  }

  @Test func operatorVectors() throws {
    let pack = try PackedCases("vectors")
    var tally = Tally()
    for test in pack.cases where test.refused == nil && pack.input(of: test).shape.count <= 4096 {
      try Self.compare(NeuralNetwork(onnx: pack.model(of: test)), pack.input(of: test), test.name, &tally)
    }
    #expect(tally.exact > 40_000 && tally.loose < 500)
    for name in tally.looseNetworks.keys.sorted() {
      #expect(Self.hidingVectors.contains { name.hasPrefix($0) }, "\(name): sources that nothing depends on")
    }
  }

  @Test func randomGraphs() throws {
    let pack = try PackedCases("graphs")
    var tally = Tally()
    for test in pack.cases where test.refused == nil {
      try Self.compare(NeuralNetwork(onnx: pack.model(of: test)), pack.input(of: test), test.name, &tally)
    }
    Self.expectExactness(tally, atLeast: 2_800)
  }

  @Test func chains() throws {
    var tally = Tally()
    for seed in 0..<300 as Range<UInt64> {
      var maker = RangeSweepTests.ChainMaker(seed: 9000 + seed)
      let chain = try maker.chain()
      let input = Seeded.tensor(TensorShape([1] + chain.item), seed: seed, low: -2, high: 2)
      try Self.compare(chain.builder.network(), input, "\(seed): \(chain.names)", &tally)
    }
    Self.expectExactness(tally, atLeast: 9_500)
  }
}
