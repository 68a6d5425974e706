import Foundation
import RelevanceKit
import TestSupport
import Testing

/// Every score against `Tools/reference/evaluators.py`, which works from the definitions in NumPy and shares no code with the
/// package: exactly where sums are of whole numbers, otherwise up to the order of additions.
@Suite struct MetricTests {
  /// Of sums in double precision, relative: the order of additions differs.
  static let tolerance = 1e-12

  private struct Cases<Case: Decodable>: Decodable {
    let cases: [Case]
  }

  private struct Thresholds: Decodable {
    let thresholds: [Double]
  }

  private static func cases<Case: Decodable>(_ name: String, of: Case.Type = Case.self) throws -> [Case] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Cases<Case>.self, from: data(name)).cases
  }

  private static func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("evaluators/\(name).json")))
  }

  private struct MapCase: Decodable {
    let name: String
    let height: Int
    let width: Int
    let values: [Float]
  }

  private static func maps() throws -> [String: SaliencyMap] {
    let maps = try cases("maps", of: MapCase.self)
    return Dictionary(
      uniqueKeysWithValues: maps.map { ($0.name, SaliencyMap(height: $0.height, width: $0.width, values: $0.values)) })
  }

  private static func isClose(_ found: Double, _ expected: Double) -> Bool {
    abs(found - expected) <= tolerance * max(abs(expected), 1)
  }

  @Test func saliency() throws {
    struct Case: Decodable {
      let name: String
      let shape: [Int]
      let relevance, sum, magnitude: [Float]
    }
    for one in try Self.cases("saliency", of: Case.self) {
      let relevance = Tensor(shape: Shape(one.shape), elements: one.relevance)
      #expect(SaliencyMap(relevance, by: .sum).values == one.sum, "\(one.name)")
      #expect(SaliencyMap(relevance, by: .magnitude).values == one.magnitude, "\(one.name)")
      let batch = relevance.reshaped(to: Shape([1] + one.shape))
      #expect(SaliencyMap(batch, by: .sum).values == one.sum)
    }
  }

  @Test func rankings() throws {
    struct Case: Decodable {
      let map: String
      let total: Double
      let order: [Int]?
    }
    let maps = try Self.maps()
    for one in try Self.cases("rankings", of: Case.self) {
      let map = try #require(maps[one.map])
      #expect(Self.isClose(map.energy / max(one.total, 1), one.total / max(one.total, 1)), "\(one.map)")
      let order = map.ranking()
      if let expected = one.order { #expect(order == expected, "\(one.map)") }
      #expect(map.maximum == (one.total > 0 ? order.first : nil))
    }
  }

  private struct RegionCase: Decodable {
    let name: String
    let height: Int
    let width: Int
    let boxes: [[Double]]
    let tolerance: Double
    let count: Int
    let inside: [String]?

    var region: Region {
      let boxes = boxes.map { BoundingBox(left: $0[0], top: $0[1], right: $0[2], bottom: $0[3]) }
      return Region(boxes, height: height, width: width, tolerance: tolerance)
    }
  }

  @Test func regions() throws {
    let all = try Self.cases("regions", of: RegionCase.self)
    for one in all {
      let region = one.region
      #expect(region.contains.count { $0 } == one.count, "\(one.name)")
      if let inside = one.inside { #expect(region.contains == inside.joined().map { $0 == "#" }, "\(one.name)") }
    }
    #expect(all.contains { $0.inside != nil && $0.count > 0 && $0.tolerance > 0 })
  }

  @Test func pointing() throws {
    struct Case: Decodable {
      let map, region: String
      let maximum: Bool
      let purity, energyShare: Double
      let hits: [Bool]
      let boundary: [Double]
    }
    let maps = try Self.maps()
    let regions = Dictionary(
      uniqueKeysWithValues: try Self.cases("regions", of: RegionCase.self).map { ($0.name, $0.region) })
    let thresholds = try JSONDecoder().decode(Thresholds.self, from: Self.data("pointing")).thresholds
    for one in try Self.cases("pointing", of: Case.self) {
      let map = try #require(maps[one.map])
      let score = PointingScore(map, in: try #require(regions[one.region]))
      #expect(score.maximumHits == one.maximum, "\(one.map), \(one.region)")
      #expect(Self.isClose(score.purity, one.purity), "\(one.map), \(one.region)")
      #expect(Self.isClose(score.energyShare, one.energyShare), "\(one.map), \(one.region)")
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
    for one in try Self.cases("pairs", of: Case.self) {
      let names = one.classes.keys.sorted()
      let image = LabelledImage(
        name: one.name, path: "", classes: [],
        objects: one.objects.map {
          LabelledObject(
            classIndex: names.firstIndex(of: $0.class)!,
            box: BoundingBox(left: $0.box[0], top: $0.box[1], right: $0.box[2], bottom: $0.box[3]))
        })
      for (index, name) in names.enumerated() {
        #expect(image.boxes(of: index).reduce(0) { $0 + $1.area } == one.classes[name]!.area)
        #expect(image.isDifficult(index, area: one.width * one.height) == one.classes[name]!.difficult, "\(one.name)")
      }
    }
  }

  /// Two pictures in which each value says where it is from: i in the one, −1 − i in the other.
  private static func pictures(_ map: SaliencyMap) -> (image: Tensor, other: Tensor) {
    let shape: Shape = [1, 3, map.height, map.width]
    let image = Tensor(shape: shape, elements: (0..<shape.count).map(Float.init))
    return (image, image.map { -1 - $0 })
  }

  /// As the oracle sums up pictures: Σ (i + 1) x_i.
  private static func checksum(_ picture: Tensor) -> Int {
    picture.elements.enumerated().reduce(0) { $0 + ($1.offset + 1) * Int($1.element) }
  }

  @Test func ablationPatches() throws {
    struct Case: Decodable {
      let map: String
      let patches, side: Int
      let centers: [[Int]]
      let checksums: [Int]
    }
    let maps = try Self.maps()
    for one in try Self.cases("ablation", of: Case.self) {
      let map = try #require(maps[one.map])
      let found = map.patches(one.patches, side: one.side)
      let expected = one.centers.map {
        Patch(centre: ($0[0], $0[1]), side: one.side, height: map.height, width: map.width)
      }
      #expect(found == expected, "\(one.map)")
      var (picture, other) = Self.pictures(map)
      let checksums = found.map { patch in
        picture = picture.replacing(patch, by: .picture(other))
        return Self.checksum(picture)
      }
      #expect(checksums == one.checksums, "\(one.map)")
    }
  }

  @Test func replacedPixels() throws {
    struct Pictures: Decodable {
      let checksums: [Int]
    }
    struct Case: Decodable {
      let map: String
      let steps: Int
      let counts: [Int]
      /// Not given of all maps.
      let deletion, insertion: Pictures?
    }
    let maps = try Self.maps()
    for one in try Self.cases("curves", of: Case.self) {
      let map = try #require(maps[one.map])
      let (image, other) = Self.pictures(map)
      let replacement = PixelReplacement(map, steps: one.steps)
      #expect((1...one.steps).map { replacement.count(after: $0) } == one.counts, "\(one.map)")
      let deleted = replacement.pictures(from: image, to: other)
      #expect(deleted.first == image && deleted.last == other)
      if let expected = one.deletion {
        #expect(deleted.dropFirst().map(Self.checksum) == expected.checksums, "\(one.map)")
      }
      let inserted = replacement.pictures(from: other, to: image)
      if let expected = one.insertion {
        #expect(inserted.dropFirst().map(Self.checksum) == expected.checksums, "\(one.map)")
      }
    }
    struct Area: Decodable {
      let values: [Double]
      let area: Double
    }
    for one in try Self.cases("areas", of: Area.self) {
      #expect(Self.isClose(PixelReplacement.area(under: one.values), one.area))
    }
  }

  @Test func grids() throws {
    struct Case: Decodable {
      let map: String
      let n: Int
      let shares: [Double]
      let largest: Int?
    }
    let maps = try Self.maps()
    for one in try Self.cases("grids", of: Case.self) {
      let score = GridScore(try #require(maps[one.map]), cells: one.n)
      #expect(zip(score.shares, one.shares).allSatisfy { Self.isClose($0, $1) }, "\(one.map), \(one.n)")
      #expect(score.shares.count == one.shares.count && score.maximum == one.largest, "\(one.map), \(one.n)")
    }
  }

  @Test func similarities() throws {
    struct Case: Decodable {
      let maps: [String]
      let cosine, rankCorrelation: Double
    }
    let maps = try Self.maps()
    for one in try Self.cases("similarities", of: Case.self) {
      let found = try #require(MapSimilarity.mean(of: one.maps.compactMap { maps[$0] }))
      #expect(Self.isClose(found.cosine, one.cosine), "\(one.maps)")
      #expect(Self.isClose(found.rankCorrelation, one.rankCorrelation), "\(one.maps)")
    }
    #expect(MapSimilarity.mean(of: Array(maps.values.prefix(1))) == nil)
  }

  @Test func dropMatrices() throws {
    struct Case: Decodable {
      let name: String
      let n: Int
      let values: [Float]
      let ties: Bool
      let dominantRows, dominantColumns: Int
      let diagonalMean: Double
      let offDiagonalMean: Double?
    }
    for one in try Self.cases("matrices", of: Case.self) where !one.ties {
      let patch = Patch(centre: (0, 0), side: 1, height: 1, width: 1)
      let ablation = PatchAblation(
        centres: (0..<one.n).map { _ in (row: 0, column: 0) }, patches: (0..<one.n).map { _ in patch },
        drops: Tensor(shape: [one.n, one.n], elements: one.values))
      #expect((0..<one.n).count { ablation.isOwnLargest($0) } == one.dominantRows, "\(one.name)")
      #expect((0..<one.n).count { ablation.isMostHurtByOwn($0) } == one.dominantColumns, "\(one.name)")
      #expect(abs(ablation.meanOwnDrop - one.diagonalMean) < 1e-6, "\(one.name)")
      if let expected = one.offDiagonalMean { #expect(abs(ablation.meanOtherDrop - expected) < 1e-6, "\(one.name)") }
    }
  }

  @Test func resamples() throws {
    struct Case: Decodable {
      let images: Int
      let indices: [[Int]]
      let values, interval, ratioInterval: [Double]
      let hits, pairs: [Int]
      let mean, ratio: Double
    }
    for one in try Self.cases("resamples", of: Case.self) {
      let bootstrap = Bootstrap(items: one.images, drawn: one.indices)
      let means = Measurements(
        items: Array(0..<one.images), classes: [Int](repeating: 0, count: one.images), values: one.values)
      let mean = try #require(bootstrap.estimate(.mean(means)))
      #expect(Self.isClose(mean.value, one.mean))
      #expect(Self.isClose(mean.low, one.interval[0]) && Self.isClose(mean.high, one.interval[1]))
      var pairs = Measurements()
      for item in 0..<one.images {
        for pair in 0..<one.pairs[item] { pairs.append(pair < one.hits[item] ? 1 : 0, item: item) }
      }
      let ratio = try #require(bootstrap.estimate(.mean(pairs)))
      #expect(Self.isClose(ratio.value, one.ratio))
      #expect(Self.isClose(ratio.low, one.ratioInterval[0]) && Self.isClose(ratio.high, one.ratioInterval[1]))
    }
    struct Pair: Decodable {
      let `class`: Int
      let hit: Bool
    }
    struct Classes: Decodable {
      let pairs: [Pair]
      let classMean: Double
    }
    for one in try Self.cases("classes", of: Classes.self) {
      let measured = Measurements(
        items: Array(one.pairs.indices), classes: one.pairs.map(\.class), values: one.pairs.map { $0.hit ? 1 : 0 })
      let found = Bootstrap(items: one.pairs.count, resamples: 20).estimate(.classMean(measured))
      #expect(Self.isClose(try #require(found).value, one.classMean))
    }
  }
}
