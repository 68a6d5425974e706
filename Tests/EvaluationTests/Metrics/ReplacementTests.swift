import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The order in which patches and pixels are replaced, and the effect.
@Suite struct ReplacementTests {
  /// Two images in which each value indicates its origin: i in one image, −1 − i in the other.
  private static func images(_ map: SaliencyMap) -> (image: Tensor, other: Tensor) {
    let shape: TensorShape = [1, 3, map.height, map.width]
    let image = Tensor(shape: shape, elements: (0..<shape.count).map(Float.init))
    return (image, image.map { -1 - $0 })
  }

  /// The oracle's checksum of an image: Σ (i + 1) x_i.
  private static func checksum(_ image: Tensor) -> Int {
    image.elements.enumerated().reduce(0) { $0 + ($1.offset + 1) * Int($1.element) }
  }

  @Test func ablationPatches() throws {
    struct Case: Decodable {
      let map: String
      let patches, side: Int
      let centers: [[Int]]
      let checksums: [Int]
    }
    let maps = try MetricCases.maps()
    for one in try MetricCases.cases("ablation", of: Case.self) {
      let map = try #require(maps[one.map])
      let found = map.patches(one.patches, side: one.side)
      let expected = one.centers.map {
        Patch(center: ($0[0], $0[1]), side: one.side, height: map.height, width: map.width)
      }
      #expect(found == expected, "\(one.map)")
      var (image, other) = Self.images(map)
      let checksums = found.map { patch in
        image = image.replacing(patch, by: .image(other))
        return Self.checksum(image)
      }
      #expect(checksums == one.checksums, "\(one.map)")
    }
  }

  @Test func replacedPixels() throws {
    struct Images: Decodable {
      let checksums: [Int]
    }
    struct Case: Decodable {
      let map: String
      let steps: Int
      let counts: [Int]
      /// Only given for some maps.
      let deletion, insertion: Images?
    }
    let maps = try MetricCases.maps()
    for one in try MetricCases.cases("curves", of: Case.self) {
      let map = try #require(maps[one.map])
      let (image, other) = Self.images(map)
      let replacement = PixelReplacement(map, steps: one.steps)
      #expect((1...one.steps).map { replacement.count(after: $0) } == one.counts, "\(one.map)")
      let deleted = replacement.images(from: image, to: other)
      #expect(deleted.first == image && deleted.last == other)
      if let expected = one.deletion {
        #expect(deleted.dropFirst().map(Self.checksum) == expected.checksums, "\(one.map)")
      }
      let inserted = replacement.images(from: other, to: image)
      if let expected = one.insertion {
        #expect(inserted.dropFirst().map(Self.checksum) == expected.checksums, "\(one.map)")
      }
    }
    struct Area: Decodable {
      let values: [Double]
      let area: Double
    }
    for one in try MetricCases.cases("areas", of: Area.self) {
      #expect(MetricCases.isClose(PixelReplacement.area(under: one.values), one.area))
    }
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
    for one in try MetricCases.cases("matrices", of: Case.self) where !one.ties {
      let patch = Patch(center: (0, 0), side: 1, height: 1, width: 1)
      let ablation = PatchAblation(
        centers: (0..<one.n).map { _ in (row: 0, column: 0) }, patches: (0..<one.n).map { _ in patch },
        drops: Tensor(shape: [one.n, one.n], elements: one.values))
      #expect((0..<one.n).count { ablation.isOwnLargest($0) } == one.dominantRows, "\(one.name)")
      #expect((0..<one.n).count { ablation.isMostHurtByOwn($0) } == one.dominantColumns, "\(one.name)")
      #expect(abs(ablation.meanOwnDrop - one.diagonalMean) < 1e-6, "\(one.name)")
      if let expected = one.offDiagonalMean { #expect(abs(ablation.meanOtherDrop - expected) < 1e-6, "\(one.name)") }
    }
  }
}
