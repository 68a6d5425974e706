import Foundation
import RelevanceKit
import RelevanceTestSupport

/// The locations of an example's files: `at("photo.jpg")` in the sources is `"photo.jpg"` in the text.
///
/// Fixtures are relative to the package's root, as in the text. Files that an example writes are in a separate folder.
struct Place {
  private let scratch: Fixtures.Scratch

  init() throws { scratch = try Fixtures.Scratch() }

  func callAsFunction(_ path: String) -> String {
    switch path {
    case "photo.jpg": Fixtures.path("cat-and-coffee.png")
    // As in a package beside this one.
    case _ where path.hasPrefix("../RelevanceKit/"): callAsFunction(String(path.dropFirst("../RelevanceKit/".count)))
    case _ where path.hasPrefix("Fixtures/"): Fixtures.root.appendingPathComponent(path).path
    default: scratch.path(path)
    }
  }
}

/// The trained network of the articles, and a scene with an 8 and a 0.
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

/// Whether two numbers are equal up to rounding, which differs between processors.
func isNear(_ a: some BinaryFloatingPoint, _ b: some BinaryFloatingPoint, within tolerance: Double = 0.002) -> Bool {
  abs(Double(a) - Double(b)) <= tolerance
}
