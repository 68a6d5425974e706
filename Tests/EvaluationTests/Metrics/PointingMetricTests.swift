import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Regions, and whether maps point into them.
@Suite struct PointingMetricTests {
  private struct RegionCase: Decodable {
    let name: String
    let height: Int
    let width: Int
    let boxes: [[Double]]
    let tolerance: Double
    let count: Int
    let inside: [String]?

    func region() throws -> Region {
      let boxes = boxes.map { BoundingBox(left: $0[0], top: $0[1], right: $0[2], bottom: $0[3]) }
      return try Region(boxes, height: height, width: width, tolerance: tolerance)
    }
  }

  @Test func regions() throws {
    let all = try MetricCases.cases("regions", of: RegionCase.self)
    for one in all {
      let region = try one.region()
      #expect(region.contains.count { $0 } == one.count, "\(one.name)")
      if let inside = one.inside { #expect(region.contains == inside.joined().map { $0 == "#" }, "\(one.name)") }
    }
    #expect(all.contains { $0.inside != nil && $0.count > 0 && $0.tolerance > 0 })
  }

  private struct Thresholds: Decodable {
    let thresholds: [Double]
  }

  @Test func pointing() throws {
    struct Case: Decodable {
      let map, region: String
      let maximum: Bool
      let purity, energyShare: Double
      let hits: [Bool]
      let boundary: [Double]
    }
    let maps = try MetricCases.maps()
    let regions = Dictionary(
      uniqueKeysWithValues: try MetricCases.cases("regions", of: RegionCase.self).map { try ($0.name, $0.region()) })
    let thresholds = try JSONDecoder().decode(Thresholds.self, from: MetricCases.data("pointing")).thresholds
    for one in try MetricCases.cases("pointing", of: Case.self) {
      let map = try #require(maps[one.map])
      let score = try PointingScore(map, in: try #require(regions[one.region]))
      #expect(score.maximumHits == one.maximum, "\(one.map), \(one.region)")
      #expect(MetricCases.isClose(score.purity, one.purity), "\(one.map), \(one.region)")
      #expect(MetricCases.isClose(score.energyShare, one.energyShare), "\(one.map), \(one.region)")
      #expect(score.isEmpty == (map.energy == 0))
      #expect(score.hits(at: 0) == one.maximum)
      for (threshold, hits) in zip(thresholds, one.hits) where !one.boundary.contains(threshold) {
        #expect(score.hits(at: threshold) == hits, "\(one.map), \(one.region) at \(threshold)")
      }
    }
  }

  @Test func difficultPairs() throws {
    struct Object: Decodable {
      let `class`: String
      let box: [Double]
    }
    struct Facts: Decodable {
      let area: Double
      let difficult: Bool
    }
    struct Case: Decodable {
      let name: String
      let width, height: Double
      let objects: [Object]
      let classes: [String: Facts]
    }
    for one in try MetricCases.cases("pairs", of: Case.self) {
      let names = one.classes.keys.sorted()
      let image = LabeledImage(
        name: one.name, path: "", classes: [],
        objects: one.objects.map {
          LabeledObject(
            classIndex: names.firstIndex(of: $0.class)!,
            box: BoundingBox(left: $0.box[0], top: $0.box[1], right: $0.box[2], bottom: $0.box[3]))
        })
      for (index, name) in names.enumerated() {
        #expect(image.boxes(of: index).reduce(0) { $0 + $1.area } == one.classes[name]!.area)
        #expect(image.isDifficult(index, area: one.width * one.height) == one.classes[name]!.difficult, "\(one.name)")
      }
    }
  }
}
