import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The grid pointing game on photographs: four images of different classes in a grid. Measures the share of a class's
/// relevance in its own image, whose chance level is a quarter, and the similarity of the maps of the four classes.
@Suite struct GridPointingTests {
  /// The minimum probability with which the network must predict an image's class.
  static let confidence = 0.8
  static let methods: [any AttributionMethod] = [.lrp, .clrp1, .clrp2]
  static let folder = Fixtures.images.appendingPathComponent("imagenet")
  static let hasImages = FileManager.default.fileExists(atPath: folder.appendingPathComponent("labels.json").path)

  /// The results for a method.
  struct Result {
    /// The mean share of positive relevance in the right cell.
    var energy = 0.0
    /// The fraction of maps whose largest relevance is in the right cell.
    var pointing = 0.0
    /// The mean cosine between the maps of two classes of a grid.
    var cosine = 0.0
  }

  /// SqueezeNet ends in a convolution and global pooling; grids have twice the size of images.
  @Test(
    .enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"),
    .enabled(if: hasImages, "there are no ImageNet images beside the package"))
  func squeezeNet() throws {
    let data = try Data(contentsOf: Self.folder.appendingPathComponent("labels.json"))
    let labels = try JSONDecoder().decode([String: Int].self, from: data)
    let results = try Self.play(model: FetchedModel.squeezeNet, labels: labels, grids: 20) { $0 }
    let (lrp, clrp1, clrp2) = (results[0], results[1], results[2])
    #expect(clrp1.energy >= 0.8 && clrp2.energy >= 0.8)
    #expect(lrp.energy <= clrp1.energy - 0.2)
    #expect(min(clrp1.pointing, clrp2.pointing) >= 0.9)
  }

  /// VGG16 ends in fully connected layers, as in the paper; grids have the size of images, which are halved.
  @Test(
    .enabled(if: FetchedModel.hasCoarseVGG16, "there is no vgg16-coarse among the fetched models"),
    .enabled(if: hasImages, "there are no ImageNet images beside the package"))
  func coarseVGG16() throws {
    let model = try Model(contentsOf: FetchedModel.coarseVGG16)
    let data = try Data(contentsOf: Fixtures.images.appendingPathComponent("coarse-classes.json"))
    let classes = try JSONDecoder().decode([String: String].self, from: data)
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    let labels = names.reduce(into: [String: Int]()) { labels, name in
      labels[name] = classes[name].flatMap { model.labels?.classes(named: $0).first }
    }
    let results = try Self.play(model: FetchedModel.coarseVGG16, labels: labels, grids: 8) { $0.halved }
    let (lrp, clrp1, clrp2) = (results[0], results[1], results[2])
    // The finding of the paper: LRP maps hardly depend on the class, and CLRP maps differ between classes.
    #expect(lrp.cosine >= 0.98 && abs(lrp.energy - 0.25) <= 0.05)
    for contrast in [clrp1, clrp2] {
      #expect(contrast.cosine <= 0.3)
      #expect(contrast.energy >= 0.65)
      #expect(contrast.pointing >= 0.75)
    }
  }

  /// Plays on seeded grids of images whose class the network predicts with confidence.
  private static func play(
    model path: String, labels: [String: Int], grids: Int, cell: (Tensor) -> Tensor
  ) throws -> [Result] {
    let model = try Model(contentsOf: path)
    let explainer = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
    let images = try labels.sorted { $0.key < $1.key }.compactMap { name, label -> Image? in
      let tensor = try model.preprocessing.tensor(from: RGBImage(contentsOf: folder.appendingPathComponent(name).path))
      let best = try explainer.trace(tensor).predictions()[0]
      guard best.classIndex == label, (best.probability ?? 0) >= confidence else { return nil }
      return Image(label: label, tensor: cell(tensor))
    }
    try #require(images.count >= 12)
    var results = methods.map { _ in Result() }
    var (cells, pairs) = (0, 0)
    for grid in 0..<grids {
      let chosen = choose(4, of: images, seed: UInt64(grid + 1))
      let trace = try explainer.trace(join(chosen.map(\.tensor)))
      // A class without a positive logit has no support to point at.
      let places = (0..<4).filter { trace.logits[0, chosen[$0].label] > 0 }
      cells += places.count
      pairs += places.count * (places.count - 1) / 2
      for (index, method) in methods.enumerated() {
        let maps = try trace.explain(places.map { .class(chosen[$0].label) }, by: method).map(\.relevance)
        for (number, map) in maps.enumerated() {
          let (energy, hits) = share(of: map, inCell: places[number])
          results[index].energy += energy
          results[index].pointing += hits ? 1 : 0
          for other in 0..<number { results[index].cosine += map.cosine(to: maps[other]) }
        }
      }
    }
    for index in results.indices {
      results[index].energy /= Double(cells)
      results[index].pointing /= Double(cells)
      results[index].cosine /= Double(pairs)
    }
    for (method, result) in zip(methods, results) {
      print(
        "grid pointing, \(URL(fileURLWithPath: path).lastPathComponent), \(images.count) images, \(cells) cells, "
          + "\(method): energy \(result.energy), pointing \(result.pointing), cosine \(result.cosine)")
    }
    return results
  }

  struct Image {
    let label: Int
    let tensor: Tensor
  }

  /// Different images of different classes, selected by a seeded generator.
  private static func choose(_ count: Int, of images: [Image], seed: UInt64) -> [Image] {
    var chosen: [Image] = []
    var draw = 0
    while chosen.count < count {
      let image = images[Int(Seeded.uniform(seed, draw) * Double(images.count))]
      draw += 1
      if !chosen.contains(where: { $0.label == image.label }) { chosen.append(image) }
    }
    return chosen
  }

  /// Four images combined into one, in two rows.
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

  /// The share of a map's positive relevance in a cell, and whether its maximum (over channels) is in the cell.
  private static func share(of map: Tensor, inCell cell: Int) -> (energy: Double, hits: Bool) {
    let (height, width) = (map.shape[2], map.shape[3])
    var sums = [Double](repeating: 0, count: 4)
    var largest = (value: -Float.infinity, cell: -1)
    map.withUnsafeElements { map in
      for y in 0..<height {
        for x in 0..<width {
          let here = y / (height / 2) * 2 + x / (width / 2)
          let values = (0..<3).map { map[($0 * height + y) * width + x] }
          sums[here] += values.reduce(0) { $0 + Double(max($1, 0)) }
          let total = values.reduce(0, +)
          if total > largest.value { largest = (total, here) }
        }
      }
    }
    return (sums[cell] / sums.reduce(0, +), largest.cell == cell)
  }
}

extension Tensor {
  /// Means over 2 × 2 pixels.
  fileprivate var halved: Tensor {
    let (height, width) = (shape[2] / 2, shape[3] / 2)
    return Tensor(uninitialized: [1, 3, height, width]) { result in
      for i in result.indices {
        let (channel, y, x) = (i / width / height, i / width % height, i % width)
        result[i] = (0..<4).reduce(0) { $0 + self[0, channel, 2 * y + $1 / 2, 2 * x + $1 % 2] } / 4
      }
    }
  }
}
