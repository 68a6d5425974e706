import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Detectors in their common formats: which channels are classes, which object is the most likely, and whether its map
/// is on the object. Expected values are calculated by hand from `SampleDetector`.
@Suite struct CandidateTests {
  private static let range = PixelRange(lower: [0, 0, 0], upper: [2, 2, 2])

  private func trace(_ detector: SampleDetector, classes: Int? = nil, hasBlue: Bool? = nil) throws -> Trace {
    let network = try detector.network().expecting(classes: classes)
    return try Explainer(network, rules: .default(pixelRange: Self.range))
      .trace(SampleDetector.image(hasBlue: hasBlue ?? (detector.hasObjectness || detector == .products)))
  }

  @Test(arguments: SampleDetector.allCases) func layout(detector: SampleDetector) throws {
    // The number of names has no effect.
    for classes in [nil, detector.hasBackground ? 4 : 3] {
      let layout = try trace(detector, classes: classes).layout
      #expect(layout.classes == (detector.hasBackground ? 4 : 3))
      #expect(layout.positions == detector.positions && layout.otherChannels == detector.others)
      #expect(layout.hasObjectness == detector.hasObjectness && layout.isOfCandidates)
      #expect(layout.areProbabilities == ![.softmaxAlone, .sigmoidAtEnd].contains(detector))
      let isSoftmax = detector == .softmaxOnGrid || detector.hasBackground
      #expect(layout.decision == (isSoftmax ? .oneClass : .eachClass))
    }
  }

  @Test(arguments: SampleDetector.allCases) func theMostLikelyObject(detector: SampleDetector) throws {
    let trace = try trace(detector)
    let first = detector.hasBackground ? 1 : 0
    let green = first + 1
    let candidate = try #require(trace.candidates[0].first)
    #expect(candidate.classIndex == green)
    #expect(trace.layout.coordinates(ofPosition: candidate.place) == detector.position(2, 1))
    // At this position, the logit of green is 12, the others' logits are −4, the background's is 2, and the
    // objectness's is 8.
    func e(_ x: Double) -> Double { Foundation.exp(x) }
    func sigmoid(_ x: Double) -> Double { 1 / (1 + e(-x)) }
    let expected: Double =
      switch detector {
      case .softmaxOnGrid: e(12) / (e(12) + 2 * e(-4))
      case .softmaxBesideBoxes, .softmaxAlone: e(12) / (e(12) + e(2) + 2 * e(-4))
      case .products: sigmoid(12) * sigmoid(8)
      default: sigmoid(12)
      }
    #expect(abs(try #require(candidate.probability) - expected) < 1e-5)
    #expect((candidate.objectness != nil) == detector.hasObjectness)
    if let objectness = candidate.objectness { #expect(abs(objectness - sigmoid(8)) < 1e-5) }
    #expect(!trace.candidates[0].contains { detector.hasBackground && $0.classIndex == 0 })
    #expect(trace.candidates[0].count == 3)
  }

  @Test(arguments: SampleDetector.allCases, [.lrp, .clrp1, .gradientTimesInput] as [any AttributionMethod])
  func mapIsOnTheObject(detector: SampleDetector, method: any AttributionMethod) throws {
    let trace = try trace(detector)
    let green = detector.hasBackground ? 2 : 1
    let found = try trace.explain(.top(1), by: method)
    #expect(found.target == .class(green, at: detector.position(2, 1)))
    let relevance = found.relevance
    var (inside, all) = (0.0, 0.0)
    for (index, value) in relevance.elements.enumerated() {
      let (y, x) = (index / 16 % 16, index % 16)
      all += Double(abs(value))
      if (8..<12).contains(y), (4..<8).contains(x) { inside += Double(abs(value)) }
    }
    #expect(all > 0 && inside == all)
    // For a product of probabilities, no logit is found.
    #expect(found.quantity.hasPrefix(detector == .products ? "probability" : "logit") || !method.isRelevance)
    if detector != .products { #expect(abs(found.score - 12) < 1e-4) }
  }

  /// With an objectness, a bright region without an object is ranked later; without it, first.
  @Test(arguments: SampleDetector.allCases) func brightAndNoObject(detector: SampleDetector) throws {
    let first = try #require(try trace(detector, hasBlue: true).candidates[0].first)
    let isTold = detector.hasObjectness || detector == .products
    #expect(first.classIndex == (isTold ? 1 : detector.hasBackground ? 3 : 2))
  }

  /// There is no warning about the nodes that compute boxes, because no class's relevance arrives at them.
  @Test func nodesBesideClasses() throws {
    let network = try SampleDetector.softmaxOnGrid.network()
    let beside = Set(network.nodesBesideClasses.map { network.graph[$0].name })
    #expect(beside == ["boxes", "object", "object sigmoid"])
    #expect(try SampleDetector.softmaxAlone.network().nodesBesideClasses.isEmpty)
  }

  /// A list of four alternatives, one of which has the largest score at most positions, has this class as its
  /// background. A list without such a class has none.
  @Test func theBackgroundOfLists() {
    func scores(_ winners: [Int]) -> Tensor {
      Tensor(shape: [4, 6], elements: (0..<4).flatMap { index in winners.map { $0 == index ? 3 : 0 } })
    }
    let layout = ScoreLayout(classes: 4)
    #expect(Candidate.background(in: Tensor(shape: [4, 1]), layout: layout) == nil)
    for (winners, background) in [([3, 3, 3, 3, 1, 0], 3), ([0, 0, 0, 1, 1, 1], nil), ([2, 2, 2, 2, 2, 2], nil)] {
      var builder = GraphBuilder(item: [4, 6])
      builder.add("softmax", .softmax(Softmax(axis: 1, joinsTrailingAxes: false)))
      let trace = try? Explainer(builder.network(), rules: .default(pixelRange: nil))
        .trace(scores(winners).reshaped(to: [1, 4, 6]))
      #expect(trace.map { Candidate.background(in: $0.scores(of: 0), layout: $0.layout) } == .some(background))
    }
  }

  /// Pixels of an image: class 0 is the background unless the names contradict this, and it is ranked last.
  @Test func theBackgroundOfImages() throws {
    let network = try ScoreLayoutTests.network(.channelsFirst)
    func ranks(_ names: [String]?) throws -> (targets: [Target], regions: [Int]) {
      let labels = names.map { Labels(names: Dictionary(uniqueKeysWithValues: $0.enumerated().map { ($0, $1) })) }
      let explainer = try Explainer(network.expecting(background: labels?.background), rules: .default(pixelRange: nil))
      let trace = try explainer.trace(Seeded.tensor([1, 3, 8, 12], seed: 3))
      return (Target.ranked(in: trace), trace.regions[0].map(\.classIndex))
    }
    for (names, background) in [
      (nil, 0), ((0..<5).map { "class \($0)" }, 0), ((0..<5).map { "LABEL_\($0)" }, 0),
      (["road", "sky", "car", "tree", "wall"], nil), (["road", "sky", "__background__", "tree", "wall"], 2),
      (["Background", "sky", "car", "tree", "wall"], 0),
    ] as [([String]?, Int?)] {
      let (targets, regions) = try ranks(names)
      let expected = regions.filter { $0 != background } + regions.filter { $0 == background }
      #expect(targets == expected.map { .region($0) })
    }
  }

  /// Without a sigmoid, the number of names distinguishes classes from boxes.
  @Test(arguments: [(classes: 3, others: 4), (2, 5)]) func theNumberOfNames(classes: Int, others: Int) throws {
    var builder = GraphBuilder(item: [7, 20])
    builder.add("relu", .relu)
    let network = try builder.network().expecting(classes: classes)
    let trace = try Explainer(network, rules: .default(pixelRange: nil)).trace(Seeded.tensor([1, 7, 20], seed: 1))
    #expect(trace.classes == classes && trace.layout.otherChannels == others && trace.layout.positions == [20])
    #expect(trace.layout.hasObjectness == (others == 5))
    #expect(try trace.scores(ofItem: 0)[0, 3] == trace.forward(others, 3))
  }
}

extension Trace {
  /// The rectified input at a channel and a position.
  fileprivate func forward(_ channel: Int, _ position: Int) -> Float { max(input[0, channel, position], 0) }
}
