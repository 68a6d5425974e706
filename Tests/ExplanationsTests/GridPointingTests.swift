import Foundation
import RelevanceKit
import TestSupport
import Testing

/// The grid pointing game on photographs: four pictures of different classes side by side; how much of what speaks for a
/// class lies in its own picture? Chance is a quarter.
@Suite(.enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"))
struct GridPointingTests {
  /// Grids of four pictures.
  static let grids = 20
  /// How sure the network must be of a picture's class.
  static let confidence = 0.8
  /// The mean share of CLRP1 in the right cell, and by how much LRP's is smaller.
  static let contrastiveShare = 0.80
  static let advantage = 0.2

  static let folder = Fixtures.images.appendingPathComponent("imagenet")
  static let hasPictures = FileManager.default.fileExists(atPath: folder.appendingPathComponent("labels.json").path)

  @Test(.enabled(if: hasPictures, "there are no ImageNet pictures beside the package"))
  func contrastPointsAtTheRightPicture() throws {
    let model = try Model(contentsOf: FetchedModel.squeezeNet)
    let explainer = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
    let pictures = try Self.confidentPictures(model, explainer)
    try #require(pictures.count >= 12)
    var shares: [String: [Double]] = [:]
    for grid in 0..<Self.grids {
      let chosen = Self.choose(4, of: pictures, seed: UInt64(grid + 1))
      let trace = try explainer.trace(Self.join(chosen.map(\.tensor)))
      for method in [Method.lrp, .clrp1] {
        let maps = try trace.explain(chosen.map { .class($0.label) }, by: method)
        for (cell, map) in maps.enumerated() {
          shares[method.name, default: []].append(Self.share(of: map.relevance, inCell: cell))
        }
      }
    }
    let means = shares.mapValues { $0.reduce(0, +) / Double($0.count) }
    let (lrp, clrp1) = (try #require(means["lrp"]), try #require(means["clrp1"]))
    print("grid pointing, \(pictures.count) pictures, \(Self.grids) grids: CLRP1 \(clrp1), LRP \(lrp)")
    #expect(shares["clrp1"]?.count == 4 * Self.grids)
    #expect(clrp1 >= Self.contrastiveShare)
    #expect(lrp <= clrp1 - Self.advantage)
  }

  struct Picture {
    let label: Int
    let tensor: Tensor
  }

  /// The pictures that the network gives their own class with confidence.
  private static func confidentPictures(_ model: Model, _ explainer: Explainer) throws -> [Picture] {
    let data = try Data(contentsOf: folder.appendingPathComponent("labels.json"))
    let labels = try JSONDecoder().decode([String: Int].self, from: data)
    return try labels.sorted { $0.key < $1.key }.compactMap { name, label in
      let tensor = try model.preprocessing.tensor(from: Image(contentsOf: folder.appendingPathComponent(name).path))
      #expect(tensor.shape == [1, 3, 227, 227])
      let best = try explainer.trace(tensor).predictions()[0]
      return best.classIndex == label && best.probability >= confidence ? Picture(label: label, tensor: tensor) : nil
    }
  }

  /// Different pictures of different classes, drawn by a seeded generator.
  private static func choose(_ count: Int, of pictures: [Picture], seed: UInt64) -> [Picture] {
    var chosen: [Picture] = []
    var draw = 0
    while chosen.count < count {
      let picture = pictures[Int(Seeded.uniform(seed, draw) * Double(pictures.count))]
      draw += 1
      if !chosen.contains(where: { $0.label == picture.label }) { chosen.append(picture) }
    }
    return chosen
  }

  /// Four pictures as one: two above two.
  private static func join(_ cells: [Tensor]) -> Tensor {
    let (height, width) = (cells[0].shape[2], cells[0].shape[3])
    return Tensor(uninitialized: [1, 3, 2 * height, 2 * width]) { grid in
      for (index, cell) in cells.enumerated() {
        cell.withUnsafeElements { cell in
          for row in 0..<3 * height {
            let (channel, y) = (row / height, row % height + index / 2 * height)
            let start = (channel * 2 * height + y) * 2 * width + index % 2 * width
            for x in 0..<width { grid[start + x] = cell[row * width + x] }
          }
        }
      }
    }
  }

  /// The share of a map's positive relevance that lies in a cell.
  private static func share(of map: Tensor, inCell cell: Int) -> Double {
    let (height, width) = (map.shape[2] / 2, map.shape[3] / 2)
    var sums = [Double](repeating: 0, count: 4)
    map.withUnsafeElements { map in
      for i in map.indices {
        let (y, x) = (i / (2 * width) % (2 * height), i % (2 * width))
        sums[y / height * 2 + x / width] += Double(max(map[i], 0))
      }
    }
    return sums[cell] / sums.reduce(0, +)
  }
}
