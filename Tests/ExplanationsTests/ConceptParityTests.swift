import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Conditional maps and channel relevance compared with zennit-crp, on a small network, one with batch normalization
/// and a residual one.
@Suite(.serialized) struct ConceptParityTests {
  struct Reference: Decodable {
    struct Condition: Decodable {
      let node: String
      let channels: [Int]
    }
    struct Below: Decodable {
      let node: String
      let relevance: [Double]
    }
    struct Map: Decodable {
      let file, table: String
      let target: Int
      let conditions: [Condition]
      let exclusive: [Bool]
      let sum: Double
      let below: Below?
    }
    struct Layer: Decodable {
      let node: String
      let relevance: [String: [Double]]
      let activationSum, activationMaximum: [Double]
      enum CodingKeys: String, CodingKey {
        case node, relevance
        case activationSum = "activation_sum"
        case activationMaximum = "activation_maximum"
      }
    }
    let input, logits: String
    let layers: [Layer]
    let maps: [Map]
  }

  @Test(arguments: ["small", "vgg16bn", "resnet18"]) func mapsAndChannelsMatchZennitCRP(of name: String) throws {
    let data = try Fixtures.data("concepts/\(name).json")
    let reference = try JSONDecoder().decode(Reference.self, from: data)
    // Zennit merges batch normalization into the convolution before it, so the convolution's output includes both.
    let network = try SeededNetwork.load(name, in: "concepts").foldingBatchNormalization()
    let input = try Fixtures.tensor("concepts/\(reference.input)")
    for table in ["EpsilonPlusFlat", "EpsilonGammaBox"] {
      let rules = try #require(RuleTable.preset(table, pixelRange: .imageNet))
      let trace = try Explainer(network, rules: rules).trace(
        input.reshaped(to: TensorShape([1] + input.shape.dimensions.suffix(3))))
      var worst = 0.0
      for map in reference.maps where map.table == table {
        let conditions = map.conditions.map { Condition.channels($0.channels, of: $0.node) }
        let expected = try Fixtures.tensor("concepts/\(map.file)")
        for exclusive in map.exclusive {
          let found = try trace.explain(.class(map.target), through: conditions, exclusive: exclusive)
          let distance = found.relevance.reshaped(to: expected.shape).relativeDistance(from: expected)
          #expect(distance <= Tolerance.map, "\(map.file), exclusive: \(exclusive)")
          worst = max(worst, distance)
          guard let below = map.below else { continue }
          let channels = try trace.channels(
            of: below.node, for: .class(map.target), through: conditions, exclusive: exclusive)[0]
          expectChannels(channels.map { ($0.channel, $0.relevance) }, below.relevance, "\(map.file) at \(below.node)")
        }
      }
      for layer in reference.layers {
        let target = try #require(reference.maps.first).target
        let channels = try trace.channels(of: layer.node, for: .class(target))[0]
        expectChannels(
          channels.map { ($0.channel, $0.relevance) }, try #require(layer.relevance[table]), "\(table) at \(layer.node)"
        )
        expectChannels(channels.map { ($0.channel, $0.activation) }, layer.activationSum, "sums at \(layer.node)")
        expectChannels(
          channels.map { ($0.channel, Double($0.peakActivation)) }, layer.activationMaximum, "maxima at \(layer.node)")
      }
      print("\(name) under \(table): largest distance \(worst)")
    }
  }

  private func expectChannels(_ found: [(Int, Double)], _ expected: [Double], _ what: String) {
    let own = found.sorted { $0.0 < $1.0 }.map(\.1)
    let size = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let distance = zip(own, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    #expect(own.count == expected.count && distance <= Tolerance.map * size, "\(what): \(distance / size)")
  }
}
