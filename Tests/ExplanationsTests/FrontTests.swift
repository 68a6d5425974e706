import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// One call from an image to a map has the same result as the single steps.
@Suite struct FrontTests {
  private static let folder = Fixtures.path("digits/vgg")
  private static let scene = Fixtures.path("digits/scenes/005.png")

  @Test(arguments: [.lrp, .clrp1, .clrp2, .gradCAM] as [any AttributionMethod])
  func imagesAreExplainedAsTensorsAre(method: any AttributionMethod) throws {
    let model = try Model(contentsOf: Self.folder)
    let image = try RGBImage(contentsOf: Self.scene)
    let table = RuleTable.default(pixelRange: model.preprocessing.pixelRange)
    let trace = try Explainer(model.network, rules: table).trace(model.preprocessing.tensor(from: image))
    let best = trace.predictions().map(\.classIndex)

    let explainer = try Explainer(model)
    #expect(explainer.plan.description == trace.plan.description)
    let found = try explainer.explain(image, [.top(2), .top(1)], by: method)
    let expected = try trace.explain([.class(best[1]), .class(best[0])], by: method)
    #expect(found.map(\.target) == expected.map(\.target) && found.map(\.scores) == expected.map(\.scores))
    #expect(found.map(\.relevance) == expected.map(\.relevance))
    #expect(try explainer.explain(image, by: method).target == .class(best[0]))
  }

  /// An assigned preprocessing is used, also for the pixel range.
  @Test func preprocessingCanBeReplaced() throws {
    var model = try Model(contentsOf: Self.folder)
    model.preprocessing.mean = [0, 0, 0]
    let image = try RGBImage(contentsOf: Self.scene)
    let explainer = try Explainer(model)
    #expect(explainer.plan.table.pixelRange == model.preprocessing.pixelRange)
    #expect(try explainer.trace(image).input == model.preprocessing.tensor(from: image))
  }

  @Test func networksWithChannelsLastAcceptImages() throws {
    func network(channelsLast: Bool) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: channelsLast ? [8, 6, 3] : [3, 8, 6])
      if channelsLast { builder.add("transposed", .transpose(order: [0, 3, 1, 2])) }
      builder.add("conv", try .seededConvolution(inputs: 3, outputs: 5, kernel: [3, 3], seed: 1))
      builder.add("relu", .relu)
      builder.add("flatten", .flatten(axis: 1))
      builder.add("head", .seededLinear(inputs: 120, outputs: 4, seed: 2))
      return try builder.network()
    }
    var bytes = SplitMix64(state: 5)
    let image = try RGBImage(
      width: 6, height: 8, pixels: (0..<144).map { _ in UInt8.random(in: 0...255, using: &bytes) })
    func relevance(channelsLast: Bool) throws -> Tensor {
      try Explainer(network(channelsLast: channelsLast), preprocessing: Preprocessing.imageNet.native)
        .explain(image, .class(3)).relevance
    }
    let (first, last) = (try relevance(channelsLast: false), try relevance(channelsLast: true))
    #expect(first.shape == [1, 3, 8, 6] && last.shape == [1, 8, 6, 3])
    #expect(last.transposed([0, 3, 1, 2]).relativeDistance(from: first) <= Tolerance.sameMap)
  }

  /// If classes have scores at the positions of an image, ranks are those of regions, with the background last.
  @Test func ranksOfRegions() throws {
    let network = try ScoreLayoutTests.network(.channelsFirst)
    let range = PixelRange(lower: [-1, -1, -1], upper: [1, 1, 1])
    let trace = try Explainer(network, rules: .default(pixelRange: range)).trace(Seeded.tensor([1, 3, 8, 12], seed: 3))
    let sizes = trace.regions[0].map(\.classIndex)
    let regions = sizes.filter { $0 != 0 } + sizes.filter { $0 == 0 }
    for (rank, index) in zip(1..., regions) {
      let (found, expected) = (try trace.explain(.top(rank)), try trace.explain(.region(index)))
      #expect(found.target == .region(index) && found.relevance == expected.relevance)
    }
    #expect(throws: ExplanationError.noSuchRank(regions.count + 1, ranks: regions.count)) {
      try trace.explain(.top(regions.count + 1))
    }
  }

  @Test(arguments: [-1, 0, 11])
  func ranksThatNoClassHas(rank: Int) throws {
    let explainer = try Explainer(Model(contentsOf: Self.folder))
    let error = #expect(throws: ExplanationError.self) {
      try explainer.explain(RGBImage(contentsOf: Self.scene), .top(rank))
    }
    #expect(error?.description == "top:\(rank): no class has this rank; expected 1 to 10")
    #expect(error?.category == .usage)
  }

  /// All types of locations refer to the same file, including names with spaces and other alphabets.
  @Test func filesHaveSeveralKindsOfNames() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("größe 1 %20 \(UUID().uuidString)")
    try FileManager.default.copyItem(atPath: Self.folder, toPath: folder.path)
    defer { try? FileManager.default.removeItem(at: folder) }
    let expected = try Model(contentsOf: folder.path)
    let locations: [any FileLocation] = [folder, FilePath(folder.path)]
    for location in locations {
      let model = try Model(contentsOf: location)
      #expect(model.file == expected.file && model.labels?.names == expected.labels?.names)
      #expect(model.preprocessing == expected.preprocessing)
    }
    let tensor = Seeded.tensor([2, 3], seed: 1)
    for (index, name) in ["a b.npy", "ü.npy"].enumerated() {
      let url = folder.appendingPathComponent(name)
      let location: any FileLocation = index == 0 ? url : FilePath(url.path)
      try NumPyFile.write(tensor, to: location)
      #expect(try NumPyFile.read(url) == tensor && NumPyFile.read(url.path) == tensor)
      #expect(try NumPyFile.read(FilePath(url.path)) == tensor)
    }
    let image = try RGBImage(contentsOf: URL(fileURLWithPath: Self.scene))
    try image.writePNG(to: folder.appendingPathComponent("ü.png"))
    #expect(try RGBImage(contentsOf: FilePath(folder.path).appending("ü.png")) == image)
    let remote = try #require(URL(string: "https://example.org/model.onnx"))
    let error = #expect(throws: (any Error).self) { try Model(contentsOf: remote) }
    #expect("\(error!)".hasPrefix("https://example.org/model.onnx: "))
  }
}
