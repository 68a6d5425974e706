import RelevanceKit
import RelevanceTestSupport
import Testing

/// Inputs that exceed the box of rule z^B: they are reported with the observed range, and not reported with a correct
/// box.
@Suite struct BoxViolationTests {
  /// The means that Caffe's models subtract, in their channel order.
  private static let means: [Float] = [103.939, 116.779, 123.68]

  /// A convolution, a rectifier, a mean over positions, a fully connected layer.
  private static func network(_ item: [Int] = [3, 8, 8], flips: Bool = false) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: item)
    if flips { builder.add("bgr", .slice(Slice(starts: [-1], ends: [-4], axes: [1], steps: [-1]))) }
    builder.add(
      "conv1",
      try .seededConvolution(
        inputs: item[0], outputs: 6, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), seed: 1))
    builder.add("relu", .relu)
    builder.add("gap", .mean(axes: [2, 3], keepsAxes: false))
    builder.add("fc", .seededLinear(inputs: 6, outputs: 4, seed: 2))
    return try builder.network()
  }

  /// Integer pixels of 0…255 minus the means, with both bounds in every channel.
  private static func caffePixels(seed: UInt64 = 5) -> Tensor {
    Tensor(
      shape: [1, 3, 8, 8],
      elements: (0..<192).map { index in
        let level = index % 64 < 2 ? Float(index % 64 * 255) : Float(Int(Seeded.uniform(seed, index) * 256))
        return level - means[index / 64]
      })
  }

  private static let caffeRow = RuleTable.Row(
    .operators(.conv, position: .first),
    ZBoxRule(box: .channels(lower: means.map { -$0 }, upper: means.map { 255 - $0 })))

  @Test func caffePixelsInImageNetsBox() throws {
    let network = try Self.network()
    let x = Self.caffePixels()
    let wrong = try Explainer(network, rules: .default(pixelRange: .imageNet)).trace(x)
    let violation = try #require(wrong.boxViolations.first)
    #expect(wrong.boxViolations.count == 1 && violation.node == "conv1" && violation.rule == "zB")
    #expect(violation.channels.map(\.index) == [0, 1, 2] && violation.channelCount == 3)
    #expect(violation.channels.map(\.seen) == Self.means.map { -$0...255 - $0 })
    #expect(violation.channels.map(\.box.lowerBound) == PixelRange.imageNet.lower)
    #expect(
      violation.description
        == "conv1: the input of the layer exceeds the box of rule zB, so relevance can have the wrong sign: channel 0 "
        + "has the range -103.9…151.1, but its box is -2.118…2.249; channel 1 has the range -116.8…138.2, but its box "
        + "is -2.036…2.429; channel 2 has the range -123.7…131.3, but its box is -1.804…2.64; write a "
        + "preprocessor_config.json with the mean and standard deviation of the model's inputs, or a row {op: Conv, "
        + "position: first, rule: zB, lower: [-104, -116.8, -123.7], upper: [151.1, 138.3, 131.4]} (the range of this "
        + "input; extend it to all inputs)")
    let best = Target.class(wrong.predictions()[0].classIndex)
    #expect(try wrong.explain(best).relevance.elements.contains { $0 < 0 })

    // With the correct box, from the table or from the pixels, there is no violation, and both have the same map.
    let range = PixelRange(lower: Self.means.map { -$0 }, upper: Self.means.map { 255 - $0 })
    let maps = try [RuleTable.default(pixelRange: nil).prepending(Self.caffeRow), .default(pixelRange: range)].map {
      let trace = try Explainer(network, rules: $0).trace(x)
      #expect(trace.boxViolations.isEmpty)
      return try trace.explain(best).relevance
    }
    #expect(maps[0].elements.allSatisfy { $0 >= 0 } && maps[0] == maps[1])
    // Tables without z^B make no assumption about the range.
    #expect(try Explainer(network, rules: .epsilonPlus).trace(x).boxViolations.isEmpty)
  }

  /// The row that a violation proposes is valid as printed and removes the violation.
  @Test(arguments: [3, 12]) func proposedRows(channels: Int) throws {
    let network = try Self.network([channels, 8, 8])
    let x = Seeded.tensor([2, channels, 8, 8], seed: 3, low: -40, high: 90)
    let table = RuleTable.default(pixelRange: nil).prepending(
      .init(.operators(.conv, position: .first), ZBoxRule(box: .scalar(lower: 0, upper: 1))))
    let violation = try #require(try Explainer(network, rules: table).trace(x).boxViolations.first)
    let text = violation.description
    let row = try #require(text.firstIndex(of: "{").map { start in text[start...text.firstIndex(of: "}")!] })
    #expect(!text.contains("preprocessor_config.json"), "the box is not that of the pixels")
    #expect((channels > 4) == text.contains("and \(channels - 4) more channels"))
    let right = try RuleTable(yaml: "extends: default\nrules:\n  - \(row)", pixelRange: nil)
    #expect(try Explainer(network, rules: right).trace(x).boxViolations.isEmpty)
  }

  /// Only an excess beyond rounding counts, in one channel, one item and one element.
  @Test(arguments: [(Float(0.0005), false), (0.01, true)]) func tolerance(excess: Float, isViolation: Bool) throws {
    let range = PixelRange(lower: [-1, -2, 0], upper: [1, 0.5, 3])
    let explainer = try Explainer(Self.network(flips: true), rules: .default(pixelRange: range))
    let shape: TensorShape = [2, 3, 8, 8]
    for (index, isAbove) in [(0, true), (127, false), (383, true), (200, false)] {
      var elements = (0..<shape.count).map { range.lower[$0 / 64 % 3] }
      let channel = index / 64 % 3
      let width = range.upper[channel] - range.lower[channel]
      elements[index] = isAbove ? range.upper[channel] + excess * width : range.lower[channel] - excess * width
      let found = try explainer.trace(Tensor(shape: shape, elements: elements)).boxViolations
      // The channels of the layer: those of the input in reverse order.
      #expect(found.flatMap(\.channels).map(\.index) == (isViolation ? [2 - channel] : []))
    }
  }

  /// The range of a mean image, position by position, also with channels last.
  @Test func boxesOfEveryShape() throws {
    let range = PixelRange(lower: [0, 0, 0], upper: [1, 1, 1])
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add(
      "shifted", .subtract, builder.input, builder.constant("mean", Seeded.tensor([3, 4, 4], seed: 2)))
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 2, kernel: [3, 3], seed: 1))
    let shifted = try Explainer(builder.network(), rules: .default(pixelRange: range))
    #expect(try shifted.trace(Seeded.tensor([1, 3, 4, 4], seed: 1, low: 0)).boxViolations.isEmpty)
    #expect(try shifted.trace(Seeded.tensor([1, 3, 4, 4], seed: 1, low: 0, high: 1.2)).boxViolations.count == 1)
    var tokens = GraphBuilder(item: [4, 3])
    tokens.add("fc", .seededLinear(inputs: 3, outputs: 2, seed: 1))
    let table = RuleTable(name: "tokens", pixelRange: range) { RuleTable.Row(.operators(.gemm), ZBoxRule()) }
    let explainer = try Explainer(tokens.network(), rules: table)
    var x = Seeded.tensor([1, 4, 3], seed: 1, low: 0)
    #expect(try explainer.trace(x).boxViolations.isEmpty)
    x[0, 3, 1] = 7
    #expect(try explainer.trace(x).boxViolations.flatMap(\.channels).map(\.index) == [1])
  }
}
