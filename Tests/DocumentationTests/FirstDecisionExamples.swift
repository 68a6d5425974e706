import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of the landing page and of “Explain your first prediction”.
@Suite struct FirstDecisionExamples {
  @Test func landingPage() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    let image = try RGBImage(contentsOf: at("Fixtures/digits/scenes/005.png"))
    let explainer = try Explainer(model)
    let explanation = try explainer.explain(image, .top(1), by: .clrp1)
    let heatmap = try Heatmap(explanation.relevance, colors: .sequential)
    let visible = try model.preprocessing.visible(image)
    try heatmap.overlay(on: visible).writePNG(to: at("explanation.png"))
    #expect(try RGBImage(contentsOf: at("explanation.png")).width == 64)
  }

  @Test func explanation() throws {
    let at = try Place()
    let model = try Model(contentsOf: at("Fixtures/digits/vgg"))
    let explainer = try Explainer(model)

    let image = try RGBImage(contentsOf: at("Fixtures/digits/scenes/005.png"))
    let trace = try explainer.trace(image)
    for prediction in trace.predictions().prefix(2) {
      print(prediction.classIndex, prediction.logit, prediction.probability ?? 1)
    }
    #expect(trace.predictions().prefix(2).map(\.classIndex) == [8, 0])
    #expect(isNear(trace.predictions()[0].logit, 14.221) && isNear(trace.predictions()[1].logit, 11.861))
    #expect(isNear(trace.predictions()[0].probability ?? 0, 0.9137))
    #expect(isNear(trace.predictions()[1].probability ?? 0, 0.0863))

    let explanation = try trace.explain(.class(8), by: .clrp1)
    print(explanation.score, explanation.quantity, explanation.relevance.shape)
    #expect(explanation.quantity == "logit" && explanation.relevance.shape == [1, 3, 64, 64])

    let colors = explanation.method.heatmapColors
    let heatmap = try Heatmap(explanation.relevance, colors: colors)
    let overlay = heatmap.overlay(on: try model.preprocessing.visible(image))
    try overlay.writePNG(to: at("explanation.png"))
    #expect(try RGBImage(contentsOf: at("explanation.png")).height == 64)

    let pair = try trace.explain([.class(8), .class(0)], by: .lrp)
    for one in pair { print(one.target, one.score, one.relevance.sum()) }
    #expect(isNear(pair[0].relevance.sum(), 14.154) && isNear(pair[1].relevance.sum(), 11.810))
    let cosine = pair[0].relevance.cosine(to: pair[1].relevance)
    #expect(isNear(cosine, 0.994), "\(cosine)")
  }

  @Test func errors() throws {
    let at = try Place()
    do {
      _ = try Model(contentsOf: at("Fixtures/nothing"))
    } catch let error as any RelevanceKitError {
      print(error, error.category)
    }
    let error =
      #expect(throws: (any Error).self) { try Model(contentsOf: at("Fixtures/nothing")) } as? any RelevanceKitError
    #expect(error?.category == .missingInput)
    #expect(error?.description.hasSuffix("Fixtures/nothing: there is no such file") == true)
  }
}
