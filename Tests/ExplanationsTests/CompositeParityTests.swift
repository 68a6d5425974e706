import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Whole maps of common composites compared with Zennit, on networks with folded and kept batch normalization.
@Suite(.serialized) struct CompositeParityTests {
  struct Map: Decodable, Sendable {
    struct Changed: Decodable { let gamma: Float? }
    let file, network, composite: String
    let batchNormalization: String
    let changed: Changed
    let `class`: Int
    let score, sum: Double

    enum CodingKeys: String, CodingKey {
      case file, network, composite, changed, `class`, score, sum
      case batchNormalization = "batch_normalization"
    }
  }

  private struct Index: Decodable { let maps: [Map] }

  static func maps() throws -> [Map] {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("composites/index.json")))
    return try JSONDecoder().decode(Index.self, from: data).maps
  }

  /// The cases in which Zennit's composites and these tables differ on purpose.
  static let different = [
    // Zennit propagates relevance through a kept batch normalization by its gradient: sums are 30 to 260 times the
    // score.
    "resnet18.kept.ExcitationBackprop.npz", "googlenet.kept.ExcitationBackprop.npz",
  ]

  @Test(arguments: ["resnet18-kept", "googlenet-kept", "vgg16bn-kept"]) func mapsAreZennits(network name: String) throws
  {
    let kept = try SeededNetwork.load(name)
    let folded = try kept.foldingBatchNormalization()
    #expect(!folded.graph.nodes.contains { $0.operation.kind == .batchNormalization })
    let input = try Fixtures.tensor("inputs/chelsea-96.npy")
    let maps = try Self.maps().filter { $0.network == name }
    #expect(maps.count == (name == "vgg16bn-kept" ? 4 : 12))
    for map in maps where !Self.different.contains(map.file) {
      var table = try #require(RuleTable.preset(map.composite, pixelRange: .imageNet))
      if let gamma = map.changed.gamma {
        let row = try #require(table.rows.first { $0.rule is GeneralizedGammaRule })
        table = RuleTable(
          name: table.name,
          rows: table.rows.map {
            $0.rule is GeneralizedGammaRule ? .init(row.selector, GeneralizedGammaRule(gamma: gamma)) : $0
          },
          pixelRange: .imageNet)
      }
      let network = map.batchNormalization == "folded" ? folded : kept
      let explanation = try Explainer(network, rules: table).trace(input).explain(.class(map.class))
      #expect(abs(Double(explanation.score) - map.score) <= Tolerance.logits * abs(map.score), "\(map.file)")
      let expected = try Fixtures.tensor("composites/\(map.file)")
      let found = explanation.relevance.reshaped(to: expected.shape)
      let distance = found.relativeDistance(from: expected)
      #expect(distance <= Tolerance.map, "\(map.file)")
      #expect(abs(found.sum() - map.sum) <= Tolerance.map * abs(map.score), "\(map.file)")
      print("\(map.file): distance \(distance), sum \(found.sum()), Zennit's \(map.sum), score \(map.score)")
    }
  }

  /// On a residual network, relevance is neither doubled nor lost: all of it passes through every node where the paths
  /// meet.
  @Test(arguments: ["default", "EpsilonPlus"]) func residualsConserve(preset: String) throws {
    let network = try SeededNetwork.load("resnet18-kept")
    let table = try #require(RuleTable.preset(preset, pixelRange: .imageNet))
    let explanation = try Explainer(network, rules: table).trace(Fixtures.tensor("inputs/chelsea-96.npy"))
      .explain(.class(882))
    let score = Double(explanation.score)
    #expect(abs(explanation.relevance.sum() + explanation.ledger.absorbed - score) <= Tolerance.conservation * score)
    let sums = explanation.ledger.filter { $0.kind == .add }
    #expect(sums.count == 8)
    // The missing relevance is absorbed by nodes above; under `default`, it is zero.
    for entry in sums {
      let index = try #require(explanation.ledger.firstIndex { $0.node == entry.node })
      let above = explanation.ledger[..<index].filter { isBefore(entry.node, $0.node, network) }.reduce(0) {
        $0 + $1.absorbed
      }
      #expect(abs(entry.relevanceIn + above - score) <= Tolerance.conservation * score, "\(entry.node)")
    }
    if preset == "default" {
      #expect(abs(explanation.relevance.sum() - score) <= Tolerance.conservation * score)
    }
  }

  /// Whether all relevance of a node passes through another one, which is true for nodes above a sum in a chain of
  /// blocks.
  private func isBefore(_ sum: String, _ other: String, _ network: NeuralNetwork) -> Bool {
    guard let a = network.graph.node(named: sum), let b = network.graph.node(named: other) else { return false }
    return b > a
  }
}
