import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The inputs that zennit-crp 0.6 finds for each channel of a layer, among 64 inputs.
@Suite(.serialized) struct ConceptOrderParityTests {
  struct Reference: Decodable {
    struct Order: Decodable {
      let name, mode, by: String
      let share: Bool
      let labels, table: String?
      /// Channels with two values that are too close for single precision to order them.
      let near: [Int]
      /// Channels with two positions of almost equal values.
      let unsurePositions: [Int]
      let indices: [[Int]]
      let values: [[Double]]
      let positions: [[Int]]
    }
    struct References: Decodable {
      let layer: String
      let orders: [Order]
    }
    let side: Int
    let inputSeed: UInt64
    let predicted, own: [Int]
    let references: References
  }

  /// Relative to the largest value of an order.
  private static let tolerance = 1e-3

  @Test(arguments: ["small", "vgg16bn", "resnet18"]) func ordersMatchZennitCRP(of name: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let data = try Fixtures.data("concepts/\(name).json")
    let reference = try decoder.decode(Reference.self, from: data)
    let orders = reference.references.orders
    let network = try SeededNetwork.load(name, in: "concepts").foldingBatchNormalization()
    let layer = reference.references.layer
    let count = reference.predicted.count
    let indexing = orders.map { order in
      var indexing = ConceptIndexing(layers: [layer])
      (indexing.statistic, indexing.isNormalized) = (order.by == "sum" ? .sum : .peak, order.share)
      indexing.countsClasses = false
      return indexing
    }
    let header = JournalHeader(evaluation: "test", configuration: [:], items: count, shard: .whole)
    let names = [String](repeating: "", count: count)
    var indexes = orders.map { _ in
      ConceptIndex(header: header, inputs: names, files: names, nodes: [layer], top: 8)
    }
    let rules = try #require(RuleTable.preset("EpsilonPlusFlat", pixelRange: .imageNet))
    let explainer = try Explainer(network, rules: rules)
    let width = try explainer.trace(Self.input(0, of: count, reference)).activation(at: layer).shape[3]
    for input in 0..<count {
      let trace = try explainer.trace(Self.input(input, of: count, reference))
      for (number, order) in orders.enumerated() {
        let target = order.labels == "own" ? reference.own[input] : reference.predicted[input]
        let table = try #require(RuleTable.preset(order.table ?? "EpsilonPlusFlat", pixelRange: .imageNet))
        let ruled = try table.name == rules.name ? trace : trace.using(table)
        try indexing[number].add(ruled, input, for: [target], by: .lrp, to: &indexes[number])
      }
    }
    for (order, index) in zip(orders, indexes) {
      let largest = order.values.joined().reduce(0) { max($0, abs($1)) }
      var compared = 0
      for channel in order.indices.indices where !order.near.contains(channel) {
        let found = index.layers[0].references(
          of: channel, by: order.mode == "relevance" ? .relevance : .activation)
        #expect(found.map(\.input) == order.indices[channel], "\(order.name), channel \(channel)")
        for (found, expected) in zip(found, order.values[channel]) {
          #expect(
            abs(Double(found.value) - expected) <= Self.tolerance * largest, "\(order.name), channel \(channel)")
        }
        compared += 1
        guard !order.unsurePositions.contains(channel) else { continue }
        #expect(
          found.map { $0.position[0] * width + $0.position[1] } == order.positions[channel],
          "\(order.name), channel \(channel)")
      }
      #expect(compared > order.indices.count / 2)
    }
  }

  /// The inputs that the fixtures' index describes: squares that grow from input to input, and noise.
  private static func input(_ number: Int, of count: Int, _ reference: Reference) -> Tensor {
    let (side, squares) = (reference.side, 8)
    let bound = 1.2 * Double(number + 1) / Double(count)
    let seed = reference.inputSeed + 2 * UInt64(number)
    let coarse = Seeded.tensor([3, squares, squares], seed: seed, low: -bound, high: bound).elements
    let fine = Seeded.tensor([3, side, side], seed: seed + 1, low: -0.6, high: 0.6).elements
    let factor = side / squares
    let elements = fine.indices.map { index in
      let (channel, row, column) = (index / (side * side), index / side % side, index % side)
      return fine[index] + coarse[(channel * squares + row / factor) * squares + column / factor]
    }
    return Tensor(shape: [1, 3, side, side], elements: elements)
  }
}
