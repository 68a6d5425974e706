import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The boxes of detectors as targets. Expected values are calculated by hand from `SampleDetector`.
@Suite struct BoxTests {
  private static let range = PixelRange(lower: [0, 0, 0], upper: [2, 2, 2])
  private static let methods: [any AttributionMethod] = [
    .lrp, .clrp1, CLRP1(against: .logits), .clrp2, CLRP2(head: .layer), .sglrp, .gradient, .gradientTimesInput,
    IntegratedGradients(steps: 2), SmoothGrad(samples: 2), .contrastiveExcitationBackprop,
  ]

  private static func explainer(_ network: NeuralNetwork) throws -> Explainer {
    try Explainer(network, rules: .default(pixelRange: range))
  }

  /// Red, green or blue squares on 16 × 16 pixels.
  private static func image(_ squares: (channel: Int, y: Int, x: Int, side: Int)...) -> Tensor {
    var image = Tensor(shape: [1, 3, 16, 16])
    for square in squares {
      for y in 0..<square.side {
        for x in 0..<square.side { image[0, square.channel, square.y + y, square.x + x] = 1 }
      }
    }
    return image
  }

  /// A green object in cell (2, 1) of one image, and a red one in cell (0, 3) of the other.
  private static let images = [image((1, 8, 4, 4)), image((0, 0, 12, 4))]

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  @Test(arguments: SampleDetector.allCases) func eachItemHasItsOwnBox(detector: SampleDetector) throws {
    let trace = try Self.explainer(detector.network()).trace(Tensor(joining: Self.images))
    let first = detector.hasBackground ? 1 : 0
    let found = try trace.explain(.box(1), by: .gradient)
    let (classes, cells) = ([first + 1, first], [detector.position(2, 1), detector.position(0, 3)])
    #expect(found.target == .box(1) && found.boxes.map(\.classIndex) == classes)
    #expect(found.boxes.map { trace.layout.coordinates(ofPosition: $0.place) } == cells)
    // The logit, 12, is before the sigmoid or softmax, and its derivative with respect to a pixel of the object is 1.
    guard detector != .products else { return }
    #expect(found.scores.allSatisfy { abs($0 - 12) < 1e-4 } && found.quantity == "logit per unit of input")
    #expect(found.relevance.relativeDistance(from: Tensor(joining: Self.images)) < 1e-6)
  }

  /// The four numbers beside the classes, as the network outputs them, for the cell of the green object, where green
  /// adds up to 16.
  @Test(arguments: SampleDetector.allCases) func numbersOfTheBox(detector: SampleDetector) throws {
    let trace = try Self.explainer(detector.network()).trace(Self.images[0])
    let found = try #require(try trace.boxes(ofItem: 0).first).box
    let raw: [Double] = [0.2 * 16 + 9, 0.6 * 16 + 7, 0.2 * 16 + 3, -1 * 16 + 8]
    let expected: [Double]? =
      switch detector {
      case .softmaxAlone, .movedSigmoids, .sigmoidAtEnd: nil
      case .boxesAsShares: raw.map(Self.sigmoid)
      case .oneSigmoid: raw.map { 2 * Self.sigmoid($0) }
      default: raw
      }
    #expect((found == nil) == (expected == nil))
    for (found, expected) in zip(found ?? [], expected ?? []) { #expect(abs(Double(found) - expected) < 1e-4) }
  }

  /// All positions are ranked by objectness × class, and the background is not a class.
  @Test(arguments: SampleDetector.allCases) func ranks(detector: SampleDetector) throws {
    let trace = try Self.explainer(detector.network()).trace(Self.image((1, 8, 4, 4), (1, 0, 0, 3)))
    let boxes = try trace.boxes(ofItem: 0)
    #expect(boxes.count == trace.layout.positionCount && Set(boxes.map(\.place)).count == boxes.count)
    #expect(zip(boxes, boxes.dropFirst()).allSatisfy { $0.confidence >= $1.confidence })
    #expect(!boxes.contains { detector.hasBackground && $0.classIndex == 0 })
    // Nine pixels of the second object are in cell (0, 0): a logit of 5 and an objectness of 1.
    let second = boxes[1]
    #expect(trace.layout.coordinates(ofPosition: second.place) == detector.position(0, 0))
    if let objectness = second.objectness { #expect(abs(objectness - Self.sigmoid(1)) < 1e-5) }
    if detector != .products { #expect(abs(try trace.explain(.box(2)).score - 5) < 1e-4) }
    let error = #expect(throws: ExplanationError.self) { try trace.explain(.box(boxes.count + 1)) }
    #expect(
      error?.description == "box:\(boxes.count + 1): no box has this rank; expected 1 to \(boxes.count)")
  }

  /// A detector with two grids whose scores have separate sigmoids: small objects on the fine grid, whose logits are
  /// the sum of a color minus 4, and large objects on the coarse grid, with half the sum minus 4.
  private static func twoScales() throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 16, 16])
    var joined: [Node.ID] = []
    for (name, side, weight) in [("fine", 4, Float(1)), ("coarse", 8, 0.5)] {
      func layer(_ outputs: Int, _ value: (Int, Int) -> Float, _ bias: Float) throws -> Convolution {
        let area = side * side
        return Convolution(
          weight: Tensor(
            shape: [outputs, 3, side, side],
            elements: (0..<outputs * 3 * area).map { value($0 / area / 3, $0 / area % 3) }),
          bias: Tensor(shape: [outputs], repeating: bias),
          window: try Window(kernel: [side, side], strides: [side, side]),
          groups: 1)
      }
      let boxes = builder.add("\(name) boxes", try layer(4, { 0.1 * Float($0 + $1) }, 1), builder.input)
      let scores = builder.add("\(name) scores", try layer(3, { $0 == $1 ? weight : 0 }, -4), builder.input)
      let all = builder.add("\(name) all", Concat(axis: 1), boxes, builder.add("\(name) sigmoid", Sigmoid(), scores))
      joined.append(
        builder.add("\(name) list", .reshape(extents: [-1, 7, 256 / side / side], allowZero: false), all))
    }
    builder.add("joined", Concat(axis: 2), joined[0], joined[1])
    return try builder.network()
  }

  /// In a batch, boxes can start at different nodes. Each item has the same result as alone.
  @Test(arguments: methods) func boxesOfSeveralNodes(method: any AttributionMethod) throws {
    let explainer = try Self.explainer(Self.twoScales())
    let images = [Self.image((1, 8, 4, 4)), Self.image((2, 8, 8, 8)), Self.image((0, 0, 12, 4))]
    let trace = try explainer.trace(Tensor(joining: images))
    // The noise of a batch differs from that of each of its items.
    let isAlike = !(method is SmoothGrad)
    let together = try trace.explain([.box(1), .box(2)], by: method)
    #expect(zip(together[0].scores, [12, 28, 12] as [Float]).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(together[0].boxes.map(\.place) == [9, 16 + 3, 3])
    for (item, image) in images.enumerated() {
      let alone = try explainer.trace(image)
      for number in 0..<2 {
        let found = together[number].signedRelevance.item(item)
        let expected = try alone.explain(.box(number + 1), by: method).signedRelevance.item(0)
        #expect(expected.largestMagnitude() > 0)
        if isAlike { #expect(found.relativeDistance(from: expected) <= 1e-5, "item \(item), box \(number + 1)") }
        // A box is a class at a position.
        let box = try alone.boxes(ofItem: 0)[number]
        let same = try alone.explain(.class(box.classIndex, at: [box.place]), by: method).signedRelevance.item(0)
        #expect(same == expected)
      }
    }
  }

  @Test func networksThatAreNotDetectors() throws {
    for (network, found) in [
      (try ScoreLayoutTests.network(.channelsFirst), "5 classes at each of 4×6 positions"),
      (try ScoreLayoutTests.network(.channelsFirst, at: (1, 1)), "5 classes"),
    ] {
      let trace = try Explainer(network, rules: .default(pixelRange: nil)).trace(Seeded.tensor([1, 3, 8, 12], seed: 4))
      let error = #expect(throws: ExplanationError.self) { try trace.explain(.box(1)) }
      #expect(
        error?.description
          == "box: expected a detector, whose classes have scores at several positions: batch × (4 + classes) × "
          + "positions, batch × positions × (4 + 1 + classes), or boxes and scores as two outputs; found \(found)")
      #expect(error?.category == .usage)
    }
  }

  @Test func encodings() throws {
    let trace = try Self.explainer(SampleDetector.boxesThenClasses.network()).trace(Self.images[0])
    let explanation = try trace.explain(.box(1))
    let copy = try JSONDecoder().decode(Explanation.self, from: JSONEncoder().encode(explanation))
    #expect(copy.target == .box(1) && copy.boxes == explanation.boxes && !copy.boxes.isEmpty)
    #expect(Target("box:3") == .box(3) && Target.box(3).description == "box:3")
    for text in ["box:0", "box:-1", "box:x", "box:1@2", "box:"] { #expect(Target(text) == nil) }
  }
}
