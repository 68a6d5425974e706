import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Maps as saliency, their order, and scores of whole maps.
@Suite struct SaliencyTests {
  @Test func saliency() throws {
    struct Case: Decodable {
      let name: String
      let shape: [Int]
      let relevance, sum, magnitude: [Float]
    }
    for one in try MetricCases.cases("saliency", of: Case.self) {
      let relevance = Tensor(shape: TensorShape(one.shape), elements: one.relevance)
      #expect(try SaliencyMap(relevance, by: .sum).values == one.sum, "\(one.name)")
      #expect(try SaliencyMap(relevance, by: .magnitude).values == one.magnitude, "\(one.name)")
      let batch = relevance.reshaped(to: TensorShape([1] + one.shape))
      #expect(try SaliencyMap(batch, by: .sum).values == one.sum)
    }
  }

  @Test func rankings() throws {
    struct Case: Decodable {
      let map: String
      let total: Double
      let order: [Int]?
    }
    let maps = try MetricCases.maps()
    for one in try MetricCases.cases("rankings", of: Case.self) {
      let map = try #require(maps[one.map])
      #expect(MetricCases.isClose(map.energy / max(one.total, 1), one.total / max(one.total, 1)), "\(one.map)")
      let order = map.ranking()
      if let expected = one.order { #expect(order == expected, "\(one.map)") }
      #expect(map.maximum == (one.total > 0 ? order.first : nil))
    }
  }

  @Test func grids() throws {
    struct Case: Decodable {
      let map: String
      let n: Int
      let shares: [Double]
      let largest: Int?
    }
    let maps = try MetricCases.maps()
    for one in try MetricCases.cases("grids", of: Case.self) {
      let score = GridScore(try #require(maps[one.map]), cells: one.n)
      #expect(zip(score.shares, one.shares).allSatisfy { MetricCases.isClose($0, $1) }, "\(one.map), \(one.n)")
      #expect(score.shares.count == one.shares.count && score.maximum == one.largest, "\(one.map), \(one.n)")
    }
  }

  @Test func similarities() throws {
    struct Case: Decodable {
      let maps: [String]
      let cosine, rankCorrelation: Double
    }
    let maps = try MetricCases.maps()
    for one in try MetricCases.cases("similarities", of: Case.self) {
      let found = try #require(MapSimilarity.mean(of: one.maps.compactMap { maps[$0] }))
      #expect(MetricCases.isClose(found.cosine, one.cosine), "\(one.maps)")
      #expect(MetricCases.isClose(found.rankCorrelation, one.rankCorrelation), "\(one.maps)")
    }
    #expect(MapSimilarity.mean(of: Array(maps.values.prefix(1))) == nil)
  }
}
