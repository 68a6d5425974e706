import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks with inputs of height × width × channels: maps have this axis order and the same values.
@Suite struct ChannelsLastTests {
  /// Two convolutions and a head on 3 channels of 8 × 6 pixels, which are first or last and are scaled first.
  private static func network(channelsLast: Bool) throws -> NeuralNetwork {
    let ones = Padding.explicit(before: [1, 1], after: [1, 1])
    var builder = GraphBuilder(item: channelsLast ? [8, 6, 3] : [3, 8, 6])
    builder.add("scaled", .multiply, builder.input, builder.constant("two", Tensor(shape: [1], repeating: 2)))
    if channelsLast { builder.add("transposed", .transpose(order: [0, 3, 1, 2]), Node.ID(2)) }
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 5, kernel: [3, 3], padding: ones, seed: 1))
    builder.add("relu", .relu)
    builder.add("pool", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])))
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .seededLinear(inputs: 60, outputs: 4, seed: 2))
    return try builder.network()
  }

  @Test func orderIsDetected() throws {
    #expect(try Self.network(channelsLast: true).hasChannelsLast)
    #expect(try !Self.network(channelsLast: false).hasChannelsLast)
    for sample in SampleNetwork.allCases { #expect(try !sample.network().hasChannelsLast) }
  }

  @Test(arguments: MethodCatalog.general.filter { !["smoothgrad", "random"].contains($0.name) })
  func mapsAreEqual(method: any AttributionMethod) throws {
    let x = Seeded.tensor([2, 3, 8, 6], seed: 3)
    let range = PixelRange(lower: [-1, -1, -1], upper: [1, 1, 1])
    func map(_ channelsLast: Bool) throws -> Tensor {
      let explainer = try Explainer(Self.network(channelsLast: channelsLast), rules: .default(pixelRange: range))
      let trace = try explainer.trace(channelsLast ? x.transposed([0, 2, 3, 1]) : x)
      return try trace.explain(.class(2), by: method).relevance
    }
    let (first, last) = (try map(false), try map(true))
    #expect(last.shape.dimensions == [2, 8, 6, first.shape[1]])
    #expect(last.transposed([0, 3, 1, 2]).relativeDistance(from: first) <= Tolerance.sameMap)
    #expect(first.largestMagnitude() > 0)
  }
}
