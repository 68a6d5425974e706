import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Whole maps of vision transformers, from both exporters and with attention as one node, compared with the definitions
/// in double precision. LXT 2.1 agrees where it supports them (`Fixtures/transformers/lxt.json`).
@Suite(.serialized) struct TransformerParityTests {
  struct Map: Decodable, Sendable {
    let file: String
    let networks: [String]
    let input, table: String
    let `class`: Int?
    /// Whether the map has all channels, or their sum.
    let channels: String
    let score: Double?
    let sum, tolerance: Double
    let absorbed: Absorbed?
  }

  /// The parts of a score that constants absorb.
  struct Absorbed: Decodable, Sendable {
    let classToken, position, biases: Double

    private enum CodingKeys: String, CodingKey {
      case classToken = "class_token"
      case position, biases
    }
  }

  private struct Index: Decodable { let maps: [Map] }

  private static func maps() throws -> [Map] {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("transformers/index.json")))
    return try JSONDecoder().decode(Index.self, from: data).maps
  }

  /// The table of a reference; the table with γ everywhere is `ViT`.
  private static func table(_ name: String, for network: NeuralNetwork) -> RuleTable? {
    switch name {
    case "AttnLRP": .attnLRP
    case "CP-LRP": .cpLRP
    case "gamma": .viT
    case "gamma-lxt": lxt(network)
    default: nil
    }
  }

  /// `ViT` as in LXT's example: with ε on the first and last layers of attention, which are the layers that neither
  /// precede nor follow a GELU and do not compute the logits.
  private static func lxt(_ network: NeuralNetwork) -> RuleTable {
    let graph = network.graph
    let consumers = graph.consumers
    func isGelu(_ id: Node.ID) -> Bool { graph[id].operation.kind == .gelu }
    let projections = network.nodes(reaching: network.logits).filter { id in
      graph[id].operation.kind == .gemm && id != network.logits && !consumers[id.index].contains(where: isGelu)
        && !graph[id].inputs.contains(where: isGelu)
    }
    return RuleTable(name: "LXT's example") {
      for id in projections { RuleTable.Row(.name(graph[id].name), EpsilonRule(epsilon: 1e-9)) }
      RuleTable.viT
    }
  }

  @Test(arguments: [
    "small_vit-torchscript", "small_vit-dynamo", "small_vit-attention", "vit_b_16-torchscript", "vit_b_16-dynamo",
  ]) func mapsAreThoseOfTheDefinitions(of name: String) throws {
    let network = try SeededNetwork.load(name)
    var compared = 0
    for map in try Self.maps() where map.networks.contains(name) {
      guard let table = Self.table(map.table, for: network), let target = map.class, let score = map.score else {
        continue
      }
      let explanation = try Explainer(network, rules: table).trace(Fixtures.tensor(map.input)).explain(.class(target))
      #expect(abs(Double(explanation.score) - score) <= Tolerance.logits * abs(score), "\(map.file)")
      let expected = try Fixtures.tensor("transformers/\(map.file)")
      var found = explanation.relevance
      if map.channels == "sum" {
        let (height, width) = (found.shape[-2], found.shape[-1])
        found = Tensor(uninitialized: [height, width]) { sums in
          found.withUnsafeElements { all in
            for i in 0..<height * width { sums[i] = (0..<3).reduce(0) { $0 + all[$1 * height * width + i] } }
          }
        }
      }
      let distance = found.reshaped(to: expected.shape).relativeDistance(from: expected)
      #expect(distance <= map.tolerance, "\(map.file)")
      let known = abs(explanation.relevance.sum() + explanation.ledger.absorbed - score)
      #expect(known <= Tolerance.conservation * abs(score), "\(map.file): ledger")
      if let taken = map.absorbed { expect(explanation, taken) }
      print("\(map.file) of \(name): distance \(distance)")
      compared += 1
    }
    #expect(compared == (name.hasPrefix("small") ? 8 : 4))
  }

  /// Class token and position embedding are identified by their function, and absorb the relevance that PyTorch's
  /// gradients assign to them.
  private func expect(_ explanation: Explanation, _ taken: Absorbed) {
    func amount(_ kind: TokenShare.Kind) -> Double {
      explanation.tokenShares.filter { $0.kind == kind }.reduce(0) { $0 + $1.amount }
    }
    let limit = 1e-3 * abs(Double(explanation.score))
    #expect(explanation.tokenShares.map(\.kind) == [.positionEmbedding, .classToken])
    #expect(abs(amount(.classToken) - taken.classToken) <= limit)
    #expect(abs(amount(.positionEmbedding) - taken.position) <= limit)
    let bias = explanation.ledger.losses[.bias] ?? 0
    #expect(abs(bias - amount(.classToken) - amount(.positionEmbedding) - taken.biases) <= limit)
    #expect(explanation.constantsRemark?.contains(" % to the class token, ") == true)
  }

  /// The default layer is the input of the last attention, without the class token.
  @Test(arguments: [
    "small_vit-torchscript", "small_vit-dynamo", "small_vit-attention", "vit_b_16-torchscript", "vit_b_16-dynamo",
  ]) func activationMapsAreThoseOfPyTorch(of name: String) throws {
    let explainer = try Explainer(SeededNetwork.load(name))
    var compared = 0
    for map in try Self.maps() where map.networks.contains(name) {
      guard let target = map.class, ["grad-cam", "layer-cam"].contains(map.table) else { continue }
      let trace = try explainer.trace(Fixtures.tensor(map.input))
      let found =
        try map.table == "grad-cam"
        ? GradCAM().layerMaps(of: [.class(target)], in: trace)[0]
        : LayerCAM().layerMaps(of: [.class(target)], in: trace)[0]
      let expected = try Fixtures.tensor("transformers/\(map.file)")
      #expect(found.reshaped(to: expected.shape).relativeDistance(from: expected) <= map.tolerance, "\(map.file)")
      #expect(abs(found.sum() - map.sum) <= map.tolerance * abs(map.sum), "\(map.file)")
      compared += 1
    }
    #expect(compared == (name.hasPrefix("small") ? 4 : 2))
  }

  @Test(arguments: ["small_vit-torchscript", "small_vit-dynamo", "small_vit-attention", "vit_b_16-dynamo"])
  func attentionFlowMatchesPyTorch(of name: String) throws {
    let explainer = try Explainer(SeededNetwork.load(name))
    var compared = 0
    for map in try Self.maps() where map.networks.contains(name) {
      guard ["rollout", "gradient-attention"].contains(map.table) else { continue }
      let trace = try explainer.trace(Fixtures.tensor(map.input))
      let found =
        if let target = map.class { try GradientTimesAttention().grids(of: [.class(target)], in: trace)[0] } else {
          try AttentionRollout().grids(in: trace)
        }
      let expected = try Fixtures.tensor("transformers/\(map.file)")
      #expect(found.reshaped(to: expected.shape).relativeDistance(from: expected) <= map.tolerance, "\(map.file)")
      #expect(abs(found.sum() - map.sum) <= map.tolerance * abs(map.sum), "\(map.file)")
      compared += 1
    }
    #expect(compared == (name.hasPrefix("small") ? 3 : 2))
  }

  /// Items of a batch and several targets match the single ones.
  @Test func attentionOfBatchesMatchesItems() throws {
    let explainer = try Explainer(Model(contentsOf: Fixtures.path("digits/vit")).network)
    let items = (1...2).map { Seeded.tensor([1, 3, 64, 64], seed: UInt64($0)) }
    let targets = [Target.class(1), .class(3)]
    let together = try GradientTimesAttention().grids(of: targets, in: explainer.trace(Tensor(joining: items)))
    for (number, target) in targets.enumerated() {
      for (index, item) in items.enumerated() {
        let alone = try GradientTimesAttention().grids(of: [target], in: explainer.trace(item))[0]
        #expect(together[number].item(index).relativeDistance(from: alone.item(0)) <= 1e-5)
      }
    }
  }

  @Test func networksWithoutAttentionAreErrors() throws {
    let trace = try SampleNetwork.branched.explainer().trace(SampleNetwork.input(batch: 1))
    #expect {
      try AttentionRollout().grids(in: trace)
    } throws: { "\($0)".hasPrefix("attention-rollout needs attention between image tokens") }
  }
}
