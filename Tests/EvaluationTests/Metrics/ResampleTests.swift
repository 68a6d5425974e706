import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Means and intervals of given resamples.
@Suite struct ResampleTests {
  @Test func resamples() throws {
    struct Case: Decodable {
      let images: Int
      let indices: [[Int]]
      let values, interval, ratioInterval: [Double]
      let hits, pairs: [Int]
      let mean, ratio: Double
    }
    for one in try MetricCases.cases("resamples", of: Case.self) {
      let bootstrap = Bootstrap(items: one.images, drawn: one.indices)
      let means = Measurements(
        items: Array(0..<one.images), classes: [Int](repeating: 0, count: one.images), values: one.values)
      let mean = try #require(bootstrap.estimate(.mean(means)))
      #expect(MetricCases.isClose(mean.value, one.mean))
      #expect(MetricCases.isClose(mean.low, one.interval[0]) && MetricCases.isClose(mean.high, one.interval[1]))
      var pairs = Measurements()
      for item in 0..<one.images {
        for pair in 0..<one.pairs[item] { pairs.append(pair < one.hits[item] ? 1 : 0, item: item) }
      }
      let ratio = try #require(bootstrap.estimate(.mean(pairs)))
      #expect(MetricCases.isClose(ratio.value, one.ratio))
      #expect(
        MetricCases.isClose(ratio.low, one.ratioInterval[0]) && MetricCases.isClose(ratio.high, one.ratioInterval[1]))
    }
    struct Pair: Decodable {
      let `class`: Int
      let hit: Bool
    }
    struct Classes: Decodable {
      let pairs: [Pair]
      let classMean: Double
    }
    for one in try MetricCases.cases("classes", of: Classes.self) {
      let measured = Measurements(
        items: Array(one.pairs.indices), classes: one.pairs.map(\.class), values: one.pairs.map { $0.hit ? 1 : 0 })
      let found = Bootstrap(items: one.pairs.count, resamples: 20).estimate(.classMean(measured))
      #expect(MetricCases.isClose(try #require(found).value, one.classMean))
    }
  }
}
