import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance explain --scale`: the relevance that has the full color.
@Suite struct ScaleTests {
  private static let methods: [any AttributionMethod] = [.lrp, .clrp1, .gradient, GradCAM(layer: "y")]

  /// The images of two classes by methods with three units, and their maps.
  private func run(_ scale: String?, _ bench: Workbench) throws -> [(explanation: Explanation, image: RGBImage)] {
    let outcome = try bench.run(
      [
        "explain", "model", "input.npy", "--target", "class:5", "--target", "class:7", "--output", "out", "--save",
        "png",
      ]
        + Self.methods.flatMap { ["--method", $0.description] } + (scale.map { ["--scale", $0] } ?? []))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let model = try Model(contentsOf: bench.path("model"))
    let trace = try Explainer(model.network, rules: .default(pixelRange: model.preprocessing.pixelRange))
      .trace(NumPyFile.read(bench.path("input.npy")))
    return try Self.methods.flatMap { method in
      try [5, 7].map { index in
        let name = method.description.replacingOccurrences(of: ":", with: "-").replacingOccurrences(of: "=", with: "-")
        return (
          try trace.explain(.class(index), by: method),
          try RGBImage(contentsOf: bench.path("out/input/class\(index).\(name).png"))
        )
      }
    }
  }

  private func colors(_ method: any AttributionMethod) -> HeatmapColors {
    switch method {
    case is CLRP1, is GradCAM: .sequential
    default: .diverging
    }
  }

  @Test(arguments: [nil, "own", "common", "fixed:0.5"])
  func scalesImages(scale: String?) throws {
    let results = try run(scale, try Workbench())
    for (explanation, image) in results {
      let scale: HeatmapScale =
        switch scale {
        case "common":
          try .common(results.map(\.explanation).filter { $0.quantity == explanation.quantity }.map(\.relevance))
        case "fixed:0.5": .fixed(0.5)
        default: .standard
        }
      let expected = try Heatmap(explanation.relevance, scale: scale, colors: colors(explanation.method)).image()
      #expect(image == expected, "\(explanation.target) by \(explanation.method)")
    }
  }

  /// Only maps with the same unit have a common scale.
  @Test func unitsDiffer() throws {
    let units = try run(nil, try Workbench()).map(\.explanation.quantity)
    #expect(
      units == [
        "logit", "logit", "logit", "logit", "logit per unit of input", "logit per unit of input",
        "logit, class activation",
        "logit, class activation",
      ])
  }

  /// `maps.png` has a color bar below each map.
  @Test func figuresHaveBars() throws {
    let bench = try Workbench()
    _ = try run(nil, bench)
    let sheet = try RGBImage(contentsOf: bench.path("out/input/maps.png"))
    // A map has nine columns of twenty pixels. The bar has the same width, including its rim.
    let row = { (y: Int) in sheet.pixels[y * sheet.width * 3..<(y + 1) * sheet.width * 3] }
    for (colors, count) in [(HeatmapColors.diverging, 4), (.sequential, 4)] {
      let bar = Heatmap.colorBar(width: 180, height: 1, colors: colors).pixels[3..<179 * 3]
      let found = (0..<sheet.height).map { y in
        stride(from: 0, to: (sheet.width - 178) * 3, by: 3).count { x in
          let start = row(y).startIndex + x
          return row(y)[start + 3] == bar[bar.startIndex + 3] && row(y)[start..<start + bar.count].elementsEqual(bar)
        }
      }
      // Two rows of the sheet, and eight rows of pixels without the rim.
      #expect(found.reduce(0, +) == count * 8, "\(colors)")
    }
  }
}
