import Foundation
import RelevanceKit
import RelevanceTestSupport

/// Where the files of an example are: `at("photo.jpg")` in the sources is `"photo.jpg"` in the text.
///
/// Fixtures are below the package's root, as the text has them; what an example writes goes to a folder of its own.
struct Place {
  private let scratch: Fixtures.Scratch

  init() throws { scratch = try Fixtures.Scratch() }

  func callAsFunction(_ path: String) -> String {
    switch path {
    case "photo.jpg": Fixtures.path("cat-and-coffee.png")
    // As from a package beside this one.
    case _ where path.hasPrefix("../RelevanceKit/"): callAsFunction(String(path.dropFirst("../RelevanceKit/".count)))
    case _ where path.hasPrefix("Fixtures/"): Fixtures.root.appendingPathComponent(path).path
    default: scratch.path(path)
    }
  }
}

/// The trained network of the articles, and a scene in which it sees an 8 and a 0.
struct Scene {
  static let folder = Fixtures.path("digits/vgg")
  static let image = Fixtures.path("digits/scenes/005.png")

  let model: Model
  let input: Tensor
  let explainer: Explainer
  let trace: Trace

  /// Runs the network on the scene under table `default`.
  init() throws {
    model = try Model(contentsOf: Self.folder)
    input = try model.preprocessing.tensor(from: RGBImage(contentsOf: Self.image))
    explainer = try Explainer(model)
    trace = try explainer.trace(input)
  }
}

/// Whether two numbers are equal but for rounding, which differs between processors.
func isNear(_ a: some BinaryFloatingPoint, _ b: some BinaryFloatingPoint, within tolerance: Double = 0.002) -> Bool {
  abs(Double(a) - Double(b)) <= tolerance
}
