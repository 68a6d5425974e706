import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Trained networks of three architectures on scenes of two handwritten digits: their logits, how well they recognize
/// both digits, and whether contrasts point at the correct one.
@Suite struct DigitsTests {
  /// The parts of COCO's annotations that the scenes need; the id of a category is its class.
  private struct Instances: Decodable {
    struct Image: Decodable {
      let id: Int
      let fileName: String
    }
    struct Annotation: Decodable {
      let imageId: Int
      let categoryId: Int
      let bbox: [Double]
    }
    let images: [Image]
    let annotations: [Annotation]
  }

  /// The stored scenes.
  private static func scenes() throws -> [LabeledImage] {
    let folder = Fixtures.path("digits/scenes")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let instances = try decoder.decode(
      Instances.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/instances.json")))
    let objects = Dictionary(grouping: instances.annotations, by: \.imageId).mapValues { annotations in
      annotations.map { annotation in
        let (x, y, width, height) = (annotation.bbox[0], annotation.bbox[1], annotation.bbox[2], annotation.bbox[3])
        return LabeledObject(
          classIndex: annotation.categoryId, box: BoundingBox(left: x, top: y, right: x + width, bottom: y + height))
      }
    }
    return instances.images.map { image in
      LabeledImage(
        name: image.fileName, path: "\(folder)/\(image.fileName)", classes: [], objects: objects[image.id] ?? [])
    }
  }

  /// The accuracy of a network on the scenes, as stated in the README of the fixtures.
  struct Accuracy: Sendable, CustomTestStringConvertible {
    let network: String
    /// Scenes whose largest logit is one of their digits.
    let first: Int
    /// Scenes whose two largest logits are the two digits.
    let both: Int
    /// Digits in the scenes, out of 400, with a positive logit.
    let positive: Int

    var testDescription: String { network }
  }

  static let accuracies = [
    Accuracy(network: "alexnet", first: 197, both: 183, positive: 392),
    Accuracy(network: "vgg", first: 200, both: 190, positive: 396),
    Accuracy(network: "googlenet", first: 198, both: 180, positive: 384),
    Accuracy(network: "vit", first: 197, both: 184, positive: 400),
  ]

  @Test func scenesHaveTwoDigitsApart() throws {
    let scenes = try Self.scenes()
    #expect(scenes.count == 200)
    for scene in scenes {
      try #require(scene.classes.count == 2 && scene.objects.count == 2, "\(scene.name)")
      let (a, b) = (scene.objects[0].box, scene.objects[1].box)
      let areApart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top
      #expect(areApart, "\(scene.name)")
      for box in [a, b] {
        #expect(box.area > 0 && min(box.left, box.top) >= 0 && max(box.right, box.bottom) <= 64, "\(scene.name)")
      }
    }
  }

  @Test(arguments: accuracies)
  func logitsMatchONNXRuntime(accuracy: Accuracy) throws {
    let folder = Fixtures.path("digits/\(accuracy.network)")
    let model = try Model(contentsOf: folder)
    let executor = Executor(model.network)
    let expected = try NumPyFile.read(folder + "/logits.npy")
    let largest = expected.largestMagnitude()
    var (first, both, positive) = (0, 0, 0)
    for (row, scene) in try Self.scenes().enumerated() {
      let logits = try executor.logits(model.preprocessing.tensor(from: RGBImage(contentsOf: scene.path))).elements
      for (index, logit) in logits.enumerated() {
        #expect(abs(logit - expected[row, index]) <= Float(Tolerance.logits) * largest, "\(scene.name)")
      }
      let ranking = logits.indices.sorted { logits[$0] > logits[$1] }
      first += scene.classes.contains(ranking[0]) ? 1 : 0
      both += Set(ranking.prefix(2)) == Set(scene.classes) ? 1 : 0
      positive += scene.classes.count { logits[$0] > 0 }
    }
    #expect(first == accuracy.first)
    #expect(both == accuracy.both)
    #expect(positive == accuracy.positive)
  }

  @Test(arguments: accuracies.map(\.network))
  func mapsPointAtTheirDigit(network: String) throws {
    let model = try Model(contentsOf: Fixtures.path("digits/\(network)"))
    let table = RuleTable.recommended(for: model.network, pixelRange: model.preprocessing.pixelRange)
    let explainer = try Explainer(model.network, rules: table)
    let methods = [.lrp, .clrp1, .clrp2] as [any AttributionMethod]
    // For each method, the mean share of a map's energy in the box of its digit, and in that of the other one.
    var own = [0.0, 0, 0]
    var other = [0.0, 0, 0]
    let scenes = try Self.scenes().prefix(50)
    for scene in scenes {
      let trace = try explainer.trace(model.preprocessing.tensor(from: RGBImage(contentsOf: scene.path)))
      let regions = try scene.classes.map { try Region(scene.boxes(of: $0), height: 64, width: 64) }
      for (index, method) in methods.enumerated() {
        let maps = try trace.explain(scene.classes.map { .class($0) }, by: method).map { try SaliencyMap($0) }
        for (digit, map) in maps.enumerated() {
          own[index] += try PointingScore(map, in: regions[digit]).energyShare / Double(2 * scenes.count)
          other[index] += try PointingScore(map, in: regions[1 - digit]).energyShare / Double(2 * scenes.count)
        }
      }
    }
    #expect(other[0] >= 0.1, "LRP marks both digits")
    if network == "vit" {
      // LRP on a transformer distinguishes the digits because attention does, so contrasts do not improve it.
      #expect(own[0] >= 0.7 && other[0] <= own[0] / 4)
      return
    }
    for contrast in 1...2 {
      #expect(own[contrast] >= own[0] + 0.1 && other[contrast] <= other[0] / 3, "\(methods[contrast])")
    }
  }
}
