import RelevanceKit
import RelevanceTestSupport
import Testing

/// Outputs with positions: the axis of the classes is found, and a class at a position and a region are explained as in
/// a network that ends there.
@Suite struct ScoreLayoutTests {
  /// The end of a network with five classes at 4 × 6 positions.
  enum End: String, CaseIterable, Sendable {
    /// batch × classes × height × width.
    case channelsFirst
    /// batch × height × width × classes, as in TensorFlow's segmentation networks.
    case channelsLast
    /// batch × positions × classes, as in detectors.
    case anchors
    /// batch × classes × positions.
    case flatPositions
    /// The softmax over classes with channels last.
    case softmax
    /// A fully connected layer at every position.
    case linear

    var positions: [Int] {
      switch self {
      case .anchors, .flatPositions: [24]
      default: [4, 6]
      }
    }
  }

  /// The network; with a position, a network that selects the scores there.
  static func network(_ end: End, at position: (y: Int, x: Int)? = nil) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 8, 12])
    builder.add(
      "conv1", try .seededConvolution(inputs: 3, outputs: 6, kernel: [2, 2], strides: [2, 2], seed: 1))
    builder.add("relu1", .relu)
    let there = Transpose(order: [0, 2, 3, 1])
    if end == .linear {
      builder.add("there", there)
      builder.add("head", .seededLinear(inputs: 6, outputs: 5, seed: 2))
    } else {
      builder.add("head", try .seededConvolution(inputs: 6, outputs: 5, kernel: [1, 1], seed: 2))
    }
    switch end {
    case .channelsFirst, .linear: break
    case .channelsLast, .softmax: builder.add("last", there)
    case .anchors:
      builder.add("last", there)
      builder.add("list", .reshape(extents: [-1, 24, 5], allowZero: false))
    case .flatPositions: builder.add("list", .reshape(extents: [-1, 5, 24], allowZero: false))
    }
    if let position {
      let (axes, starts): ([Int], [Int]) =
        switch end {
        case .channelsFirst: ([2, 3], [position.y, position.x])
        case .channelsLast, .softmax, .linear: ([1, 2], [position.y, position.x])
        case .anchors: ([1], [position.y * 6 + position.x])
        case .flatPositions: ([2], [position.y * 6 + position.x])
        }
      builder.add(
        "there it is", .slice(Slice(starts: .fixed(starts), ends: .fixed(starts.map { $0 + 1 }), axes: .fixed(axes))))
      builder.add("flatten", .flatten(axis: 1))
    }
    if end == .softmax { builder.add("softmax", .softmax(Softmax(axis: -1, joinsTrailingAxes: false))) }
    return try builder.network()
  }

  private static let table = RuleTable(name: "zPlus") {
    RuleTable.Row(.operators(.conv, position: .first), ZPlusRule())
    RuleTable.default(pixelRange: nil)
  }

  private static func trace(_ end: End, at position: (y: Int, x: Int)? = nil, batch: Int = 1) throws -> Trace {
    try Explainer(network(end, at: position), rules: table)
      .trace(Seeded.tensor([batch, 3, 8, 12], seed: 4, low: 0, high: 1))
  }

  private static let methods: [any AttributionMethod] = [
    .lrp, .clrp1, CLRP1(against: .classes([0, 2])), CLRP1(against: .logits), .clrp2, CLRP2(head: .layer), .sglrp,
    .gradient, .gradientTimesInput, .guidedBackprop, .excitationBackprop, .contrastiveExcitationBackprop,
  ]

  @Test(arguments: End.allCases) func classesAndPositions(end: End) throws {
    let trace = try Self.trace(end, batch: 2)
    #expect(trace.classes == 5 && trace.layout.positions == end.positions && trace.layout.decision == .oneClass)
    #expect(trace.logits.shape == TensorShape([2, 5] + end.positions))
    for (y, x) in [(0, 0), (3, 5), (2, 1)] {
      let alone = try Self.trace(end, at: (y, x), batch: 2)
      let position = end.positions.count == 2 ? [y, x] : [y * 6 + x]
      for item in 0..<2 {
        #expect(try trace.predictions(ofItem: item, at: position) == alone.predictions(ofItem: item))
      }
    }
  }

  @Test(arguments: End.allCases, methods) func aClassAtAPosition(end: End, method: any AttributionMethod) throws {
    let trace = try Self.trace(end)
    for (y, x, index) in [(0, 0, 1), (3, 5, 4), (2, 1, 0)] {
      if (method as? CLRP1)?.against == .classes([index]) { continue }
      let position = end.positions.count == 2 ? [y, x] : [y * 6 + x]
      let found = try trace.explain(.class(index, at: position), by: method)
      let expected = try Self.trace(end, at: (y, x)).explain(.class(index), by: method)
      let scale = expected.signedRelevance.largestMagnitude()
      let difference = found.signedRelevance.combined(with: expected.signedRelevance, -).largestMagnitude()
      #expect(difference <= 1e-5 * max(scale, 1e-3), "\(method) at \(y), \(x)")
      #expect(found.scores == expected.scores)
    }
  }

  /// The map of a region is the mean of the maps at its positions, and the regions cover all positions.
  @Test(arguments: End.allCases, [.lrp, .clrp1, .sglrp, .gradient] as [any AttributionMethod]) func regions(
    end: End, method: any AttributionMethod
  ) throws {
    let trace = try Self.trace(end, batch: 2)
    for item in 0..<2 {
      #expect(trace.regions[item].flatMap(\.places).sorted() == Array(0..<24))
      #expect(abs(trace.regions[item].reduce(0) { $0 + $1.share } - 1) < 1e-12)
      for region in trace.regions[item] {
        for place in region.places {
          let position = trace.layout.coordinates(ofPosition: place)
          #expect(try trace.predictions(ofItem: item, at: position)[0].classIndex == region.classIndex)
        }
      }
    }
    let region = trace.regions[0][0]
    let found = try trace.explain(.region(region.classIndex), by: method).signedRelevance.item(0)
    var sum = Tensor(shape: found.shape)
    for place in region.places {
      let position = trace.layout.coordinates(ofPosition: place)
      let one = try trace.explain(.class(region.classIndex, at: position), by: method).signedRelevance.item(0)
      sum = sum.combined(with: one, +)
    }
    let mean = sum.map { $0 / Float(region.places.count) }
    #expect(found.relativeDistance(from: mean) <= Tolerance.map)
    let explanation = try trace.explain(.region(region.classIndex), by: method)
    #expect(abs(explanation.score - Float(region.meanLogit)) <= 1e-5 * abs(explanation.score))
  }

  /// Methods that run other inputs use the scores of the same positions, even if the class has no region there.
  @Test(arguments: End.allCases) func regionsKeepTheirPositions(end: End) throws {
    let trace = try Self.trace(end, batch: 2)
    let region = trace.regions[0][0]
    let target = Target.region(region.classIndex)
    let found = try trace.explain(target, by: IntegratedGradients(steps: 400))
    let zeros = try trace.explainer.trace(trace.input.map { _ in 0 })
    let places = trace.regions.map { $0.first { $0.classIndex == region.classIndex }?.places ?? [] }
    for item in 0..<2 where !places[item].isEmpty {
      func mean(_ trace: Trace) throws -> Float {
        let scores = try trace.scores(ofItem: item)
        return places[item].reduce(0) { $0 + scores[region.classIndex, $1] } / Float(places[item].count)
      }
      let expected = try mean(trace) - mean(zeros)
      #expect(abs(Float(found.relevance.item(item).sum()) - expected) <= 2e-2 * max(1, abs(expected)))
    }
  }

  @Test func targetsThatDoNotExist() throws {
    let map = try Self.trace(.channelsFirst)
    let vector = try Self.trace(.channelsFirst, at: (1, 1))
    for (trace, target, sentence) in [
      (
        map, Target.class(1),
        "class 1 has a score at each of 4×6 positions; expected class:1@2,3 for one position, or region:1 for all "
          + "positions where the class has the largest score"
      ),
      (map, .class(5), "there is no class 5: the network has classes 0 to 4"),
      (map, .region(9), "there is no class 9: the network has classes 0 to 4"),
      (map, .class(1, at: [4, 0]), "there is no position 4,0: the scores have 4×6 positions, from 0,0 to 3,5"),
      (map, .class(1, at: [3]), "there is no position 3: the scores have 4×6 positions, from 0,0 to 3,5"),
      (vector, .class(1, at: [0, 0]), "there is no position 0,0: each class has one score; expected the class alone"),
      (vector, .region(1), "region:1: each class has one score and no positions; expected class:1"),
    ] {
      let error = #expect(throws: ExplanationError.self) { try trace.explain(target) }
      #expect(error?.description == sentence)
      #expect(error?.category == .usage)
    }
    let missing = try #require((0..<5).first { index in !map.regions[0].contains { $0.classIndex == index } })
    let error = #expect(throws: ExplanationError.self) { try map.explain(.region(missing)) }
    #expect(
      error?.description
        == "region:\(missing): class \(missing) has the largest score at no position; expected one of the classes "
        + map.regions[0].map(\.classIndex).sorted().map(String.init).joined(separator: ", "))
  }

  /// If the graph does not determine the axis of the classes, their known number does.
  @Test(arguments: [(classes: nil, expected: 4), (7, 7), (4, 4), (5, 4)] as [(Int?, Int)])
  func theNumberOfKnownClasses(classes: Int?, expected: Int) throws {
    var builder = GraphBuilder(item: [4, 7])
    builder.add("relu", .relu)
    let network = try builder.network().expecting(classes: classes)
    let trace = try Explainer(network, rules: .default(pixelRange: nil)).trace(Seeded.tensor([1, 4, 7], seed: 1))
    #expect(trace.classes == expected && trace.layout.positions == [28 / expected])
  }
}
