import RelevanceKit
import RelevanceTestSupport
import Testing

/// CLRP1 and CLRP2 compared with two separate passes according to their definitions.
@Suite struct ContrastTests {
  /// CLRP1: the dual is a separate explanation, with the score distributed evenly to the other classes.
  @Test(arguments: SampleNetwork.allCases) func clrp1IsADifferenceOfTwoPasses(sample: SampleNetwork) throws {
    let walk = try Walk(sample.network(), SampleNetwork.input())
    let trace = try sample.explainer().trace(SampleNetwork.input())
    for target in 0..<trace.classes {
      let score = trace.logits[0, target]
      var (own, others) = (Tensor(shape: [1, 7]), Tensor(shape: [1, 7], repeating: score / 6))
      own[0, target] = score
      others[0, target] = 0
      let expected = walk.relevance(from: Self.logits(of: walk), own).combined(
        with: walk.relevance(from: Self.logits(of: walk), others), -)
      try expectContrast(trace, target, .clrp1, expected)
    }
  }

  /// CLRP2 with a single fully connected layer as the head: the dual explains a network with negated weights into the
  /// target, and the choice of the last layer makes no difference.
  @Test(arguments: [SampleNetwork.flattened, .branched, .signed], [CLRP2.Head.composite, .layer])
  func clrp2ExplainsTheNegatedNetwork(sample: SampleNetwork, head: CLRP2.Head) throws {
    let walk = try Walk(sample.network(), SampleNetwork.input())
    let trace = try sample.explainer().trace(SampleNetwork.input())
    for target in 0..<trace.classes {
      let negated = try Walk(sample.network(negating: target), SampleNetwork.input())
      var seed = Tensor(shape: [1, 7])
      seed[0, target] = trace.logits[0, target]
      let expected = walk.relevance(from: "head", seed)
        .combined(with: negated.relevance(from: "head", seed), -)
      try expectContrast(trace, target, CLRP2(head: head, strength: 1), expected)
    }
  }

  /// Linear operators after the last layer, as exporters write them, change only the unit of the map.
  @Test func clrp2PassesLinearOperators() throws {
    func network(_ end: (inout GraphBuilder, Node.ID) -> Void) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [3, 6, 6])
      builder.add("conv", try .seededConvolution(inputs: 3, outputs: 5, kernel: [3, 3], seed: 1))
      builder.add("relu", .relu)
      builder.add("gap", .mean(axes: [2, 3], keepsAxes: false))
      end(&builder, builder.add("fc", .seededLinear(inputs: 5, outputs: 4, bias: false, seed: 2)))
      return try builder.network()
    }
    let two = Tensor(shape: [1, 4], elements: [2, 2, 2, 2])
    let ends: [(name: String, factor: Float, (inout GraphBuilder, Node.ID) -> Void)] = [
      ("cast", 1, { $0.add("end", Cast(to: .real), $1) }),
      ("factor", 2, { $0.add("end", .multiply, $1, $0.constant("c", two)) }),
      ("factor in front", 2, { $0.add("end", .multiply, $0.constant("c", two), $1) }),
      ("divisor", 0.5, { $0.add("end", Divide(), $1, $0.constant("c", two)) }),
      ("shift", 1, { $0.add("end", .add, $1, $0.constant("c", Tensor(shape: [1, 4]))) }),
      ("two", 2, { $0.add("end", Cast(to: .real), $0.add("twice", .multiply, $1, $0.constant("c", two))) }),
    ]
    let x = Seeded.tensor([1, 3, 6, 6], seed: 9)
    let plain = try Explainer(network { _, _ in }).trace(x)
    for (name, factor, end) in ends {
      let trace = try Explainer(network(end)).trace(x)
      for target in 0..<4 {
        let expected = try plain.explain(.class(target), by: .clrp2).signedRelevance.map { factor * $0 }
        let found = try trace.explain(.class(target), by: .clrp2).signedRelevance
        #expect(found.relativeDistance(from: expected) <= Tolerance.map, "\(name)")
      }
    }
    let squared = try Explainer(network { $0.add("end", .multiply, $1, $1) }).trace(x)
    #expect(throws: ExplanationError.self) { try squared.explain(.class(0), by: .clrp2) }
  }

  /// CLRP2 on a convolution with global average pooling, both as one linear layer: S · x w⁻ / Σ x w⁻ over channels and
  /// positions.
  @Test func clrp2OfACompositeHead() throws {
    let walk = try Walk(SampleNetwork.pooled.network(), SampleNetwork.input())
    let trace = try SampleNetwork.pooled.explainer().trace(SampleNetwork.input())
    let (x, weight) = try Self.pooledHead(walk)
    let places = x.shape[2] * x.shape[3]
    for target in 0..<trace.classes {
      let score = Double(trace.logits[0, target])
      let contributions = x.doubles.enumerated().map { index, x in
        x * min(Double(weight[target, index / places, 0, 0]), 0)
      }
      let sum = contributions.reduce(0, +)
      let dual = Tensor(shape: x.shape, elements: contributions.map { Float(score * $0 / sum) })
      try expectContrast(
        trace, target, .clrp2, try Self.contrast(walk, trace, target, dual: dual))
    }
  }

  /// CLRP2 on the same head with only the convolution as the last layer: at every position, its relevance is
  /// distributed by x w⁻ / Σ x w⁻.
  @Test func clrp2OfTheLastLayerAlone() throws {
    let walk = try Walk(SampleNetwork.pooled.network(), SampleNetwork.input())
    let trace = try SampleNetwork.pooled.explainer().trace(SampleNetwork.input())
    let (x, weight) = try Self.pooledHead(walk)
    let places = x.shape[2] * x.shape[3]
    for target in 0..<trace.classes {
      var seed = Tensor(shape: [1, 7])
      seed[0, target] = trace.logits[0, target]
      let arriving = walk.propagator.relevance(
        arrivingAt: walk.node("head"), from: [walk.network.logits: seed], count: 1)
      var dual = Tensor(shape: x.shape)
      for place in 0..<places {
        let contributions = (0..<x.shape[1]).map { channel in
          Double(x.elements[channel * places + place]) * min(Double(weight[target, channel, 0, 0]), 0)
        }
        let sum = contributions.reduce(0, +)
        let relevance = Double(arriving.elements[target * places + place])
        for (channel, contribution) in contributions.enumerated() where sum != 0 {
          dual[0, channel, place / x.shape[3], place % x.shape[3]] = Float(contribution / sum * relevance)
        }
      }
      try expectContrast(
        trace, target, CLRP2(head: .layer, strength: 1), try Self.contrast(walk, trace, target, dual: dual))
    }
  }

  /// If an affine node shifts the input of the last layer, both heads negate the same weights.
  @Test func headsAfterAnAffineNodeAgree() throws {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add(
      "norm",
      .batchNormalization(
        BatchNormalization(
          scale: Seeded.tensor([4], seed: 2, low: 0.5, high: 2), shift: Seeded.tensor([4], seed: 3, low: -1, high: 1))))
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .seededLinear(inputs: 16, outputs: 5, seed: 4))
    let trace = try Explainer(builder.network(), rules: .default(pixelRange: SampleNetwork.range))
      .trace(Seeded.tensor([1, 3, 4, 4], seed: 5))
    for target in 0..<5 {
      let maps = try [.composite, .layer].map {
        try trace.explain(.class(target), by: CLRP2(head: $0)).signedRelevance
      }
      #expect(maps[1].relativeDistance(from: maps[0]) <= Tolerance.sameMap, "class \(target)")
    }
  }

  /// R − λ·R_dual is linear in λ; without the dual, it equals LRP.
  @Test(arguments: SampleNetwork.allCases, [CLRP2.Head.composite, .layer])
  func strengthScalesTheDual(sample: SampleNetwork, head: CLRP2.Head) throws {
    let trace = try sample.explainer().trace(SampleNetwork.input())
    let lrp = try trace.explain(.class(2), by: .lrp).signedRelevance
    for method in [{ CLRP1(strength: $0) }, { CLRP2(head: head, strength: $0) }] as [(Float) -> any AttributionMethod] {
      let once = try trace.explain(.class(2), by: method(1)).signedRelevance
      let twice = try trace.explain(.class(2), by: method(2)).signedRelevance
      let none = try trace.explain(.class(2), by: method(0)).signedRelevance
      #expect(none.relativeDistance(from: lrp) <= Tolerance.sameMap)
      let dual = lrp.combined(with: once, -)
      #expect(lrp.combined(with: twice, -).relativeDistance(from: dual.map { 2 * $0 }) <= Tolerance.sameMap)
      #expect(dual.largestMagnitude() > 0)
    }
  }

  /// The dual and the explanation have the same total, so the contrast adds up to zero before negative values are
  /// dropped.
  @Test(arguments: SampleNetwork.allCases) func contrastSumsToZero(sample: SampleNetwork) throws {
    let trace = try sample.explainer().trace(SampleNetwork.input())
    for target in 0..<trace.classes {
      for method in [.clrp1, .clrp2] as [any AttributionMethod] {
        let map = try trace.explain(.class(target), by: method)
        #expect(
          abs(map.signedRelevance.sum()) <= Tolerance.conservation * abs(Double(map.score)), "\(method) of \(target)")
      }
    }
  }

  /// A single class has no alternatives to be contrasted with.
  @Test func aSingleClassHasNoContrast() throws {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .seededLinear(inputs: 16, outputs: 1, seed: 2))
    let trace = try Explainer(builder.network(), rules: .default(pixelRange: SampleNetwork.range))
      .trace(Seeded.tensor([1, 3, 4, 4], seed: 1))
    let lrp = try trace.explain(.class(0), by: .lrp).signedRelevance
    #expect(try trace.explain(.class(0), by: .clrp1).signedRelevance == lrp)
  }

  // MARK: Helpers

  /// Checks the map of a method. Distances are relative to LRP, because a contrast is a small difference of LRP maps.
  private func expectContrast(_ trace: Trace, _ target: Int, _ method: any AttributionMethod, _ expected: Tensor) throws
  {
    let lrp = try trace.explain(.class(target), by: .lrp).signedRelevance
    let found = try trace.explain(.class(target), by: method)
    let difference = found.signedRelevance.combined(with: expected, -)
    #expect(norm(difference) <= Tolerance.sameMap * norm(lrp), "\(method) of class \(target)")
    #expect(norm(expected) > 100 * Tolerance.sameMap * norm(lrp), "the contrast is negligible")
    #expect(found.relevance == found.signedRelevance.positivePart)
  }

  /// The name of the node that computes the logits.
  private static func logits(of walk: Walk) -> String { walk.network.graph[walk.network.logits].name }

  private func norm(_ x: Tensor) -> Double { x.doubles.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// The input and the weights of the head of the pooled network.
  private static func pooledHead(_ walk: Walk) throws -> (x: Tensor, weight: Tensor) {
    guard let head = walk.network.graph[walk.node("head")].operation as? Convolution else {
      preconditionFailure("the head is a convolution")
    }
    return (walk.value("relu2"), head.weight)
  }

  /// The map of LRP minus that of a dual that starts at the head's input.
  private static func contrast(_ walk: Walk, _ trace: Trace, _ target: Int, dual: Tensor) throws -> Tensor {
    try trace.explain(.class(target), by: .lrp).signedRelevance
      .combined(with: walk.relevance(from: "relu2", dual), -)
  }
}
