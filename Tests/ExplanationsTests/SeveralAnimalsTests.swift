import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Fig. 3 of the paper on photographs of zebras beside elephants: the LRP maps of the two classes are similar, and
/// those of contrastive methods are not.
@Suite struct SeveralAnimalsTests {
  static let folder = Fixtures.images.appendingPathComponent("clrp")
  static let hasImages = FileManager.default.fileExists(atPath: folder.path)
  static let (zebra, elephant) = (Target.class(340), Target.class(386))

  @Test(
    .enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"),
    .enabled(if: hasImages, "there are no images of zebras and elephants beside the package"))
  func contrastsDistinguishClasses() throws {
    let model = try Model(contentsOf: FetchedModel.squeezeNet)
    let explainer = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.hasPrefix("ze") }
      .sorted()
    #expect(names.count == 4)
    var cosines: [String: Double] = [:]
    for name in names {
      let image = try RGBImage(contentsOf: Self.folder.appendingPathComponent(name).path)
      let trace = try explainer.trace(model.preprocessing.withoutCrop().tensor(from: image))
      for method in [.lrp, .clrp1, .clrp2, .sglrp] as [any AttributionMethod] {
        let maps = try trace.explain([Self.zebra, Self.elephant], by: method).map(\.relevance)
        cosines[method.name, default: 0] += maps[0].cosine(to: maps[1]) / Double(names.count)
      }
    }
    for (method, cosine) in cosines.sorted(by: { $0.value > $1.value }) {
      print("zebra and elephant, \(method): mean cosine of the two maps \(cosine)")
    }
    let lrp = try #require(cosines["lrp"])
    #expect(lrp >= 0.6)
    for method in [.clrp1, .clrp2, .sglrp] as [any AttributionMethod] {
      #expect(try #require(cosines[method.name]) <= lrp - 0.4, "\(method)")
    }
  }
}
