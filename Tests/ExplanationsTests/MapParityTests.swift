import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// A map of `Fixtures/maps`: `<network>.<table>.class<k>.<method>.npz`.
struct MapFixture: Sendable {
  let file: String
  let network: String
  let table: String
  let target: Target
  let method: any AttributionMethod

  init?(_ file: String) {
    // Names of networks can contain dots, so the parts are separated from the end.
    let parts = file.split(separator: ".").map(String.init)
    guard parts.count >= 5, parts.last == "npz", let index = Int(parts[parts.count - 3].dropFirst("class".count)),
      let method = MethodCatalog.standard.methods.first(where: { $0.name == parts[parts.count - 2] })
    else { return nil }
    self.file = file
    network = parts.dropLast(4).joined(separator: ".")
    table = parts[parts.count - 4]
    target = .class(index)
    self.method = method
  }

  /// All maps, sorted by name.
  static let all: [MapFixture] = ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("maps"))) ?? [])
    .sorted().compactMap { MapFixture($0) }

  /// The reference: float32 [3, H, W], signed.
  var reference: Tensor { get throws { try Fixtures.tensor("maps/\(file)") } }
}

/// Whole maps compared with an oracle in PyTorch that shares no code, and conservation on each network.
@Suite(.serialized) struct MapParityTests {
  static let seeded = Set(MapFixture.all.map(\.network)).subtracting(["squeezenet1.1"]).sorted()

  @Test(arguments: seeded) func seededNetworksMatch(name: String) throws {
    let network = try SeededNetwork.load(name)
    let side = network.exampleInputShape(side: 224)[2]
    try expectMaps(of: name, network, pixelRange: .imageNet, input: Fixtures.tensor("inputs/chelsea-\(side).npy"))
  }

  @Test(.enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"))
  func squeezeNetMatches() throws {
    let model = try Model(contentsOf: FetchedModel.squeezeNet)
    let input = try Fixtures.tensor("inputs/squeezenet-cat-coffee-64x80.npy")
    try expectMaps(of: "squeezenet1.1", model.network, pixelRange: model.preprocessing.pixelRange, input: input)

    let logits = try Fixtures.tensor("networks/squeezenet1.1/logits.npy")
    let whole = try model.preprocessing.native.tensor(from: RGBImage(contentsOf: Fixtures.path("cat-and-coffee.png")))
    #expect(whole.shape == [1, 3, 227, 454])
    let found = try Executor(model.network).logits(whole)
    #expect(found.count == logits.count)
    #expect(found.reshaped(to: logits.shape).largestDifference(from: logits) <= Tolerance.logits)
  }

  /// No map is missing: the files are those of the manifest, and every relevant network is among them.
  @Test func allMapsAreThere() throws {
    #expect(try Fixtures.listed("maps/") == MapFixture.all.map { "maps/" + $0.file })
    let tables = Dictionary(grouping: MapFixture.all, by: \.network).mapValues { Set($0.map(\.table)) }
    #expect(tables["squeezenet1.1"] == ["default", "paper"])
    for prefix in ["alexnet", "vgg16", "googlenet"] {
      #expect(tables.keys.contains { $0.hasPrefix(prefix) }, "\(prefix)")
    }
    for (_, maps) in Dictionary(grouping: MapFixture.all, by: { [$0.network, $0.table] }) {
      #expect(Set(maps.map(\.method.name)) == ["lrp", "clrp1", "clrp2"])
    }
  }

  private func expectMaps(of name: String, _ network: NeuralNetwork, pixelRange: PixelRange, input: Tensor) throws {
    let fixtures = MapFixture.all.filter { $0.network == name }
    try #require(!fixtures.isEmpty)
    for (table, fixtures) in Dictionary(grouping: fixtures, by: \.table).sorted(by: { $0.key < $1.key }) {
      let rules = try #require(RuleTable.preset(table, pixelRange: pixelRange))
      let trace = try Explainer(network, rules: rules).trace(input)
      for fixture in fixtures {
        let explanation = try trace.explain(fixture.target, by: fixture.method)
        let reference = try fixture.reference
        let map = explanation.signedRelevance.reshaped(to: reference.shape)
        let distance = map.relativeDistance(from: reference)
        #expect(distance <= Tolerance.map, "\(fixture.file)")
        let (sum, score) = (map.sum(), Double(explanation.score))
        print("\(fixture.file): distance \(distance), sum \(sum), score \(score)")
        if fixture.method is LRP {
          #expect(abs(sum - score) <= Tolerance.conservation * abs(score), "\(fixture.file)")
        }
        #expect(
          explanation.relevance
            == (fixture.method is LRP ? explanation.signedRelevance : explanation.signedRelevance.positivePart))
      }
    }
  }
}
