import Foundation
import RelevanceKit

/// The reply to one request.
struct Reply: Codable, Sendable {
  var label: String
  var probability: Double
  /// The share of the class score that the map contains.
  var explainedShare: Double
  /// The heatmap over the image, as PNG.
  var overlay: Data
}

/// Explains images. One value serves all requests.
struct ImageExplainer: Sendable {
  private let model: Model
  private let explainer: Explainer

  init(model path: String) throws {
    model = try Model(contentsOf: path)
    explainer = try Explainer(model, threads: 1)
  }

  /// Explains the class with a label, or the predicted class.
  func explain(_ body: Data, label: String? = nil) throws -> Reply {
    let image = try RGBImage(decoding: body, name: "upload", pixelLimit: 50_000_000)
    let trace = try explainer.trace(image)
    let predictions = trace.predictions()
    let asked = label.flatMap { label in model.labels?.names.first { $0.value == label }?.key }
    let prediction = predictions.first { $0.classIndex == asked } ?? predictions[0]
    let explanation = try trace.explain(.class(prediction.classIndex), by: .lrp)
    let heatmap = try Heatmap(explanation.relevance, colors: explanation.method.heatmapColors)
    return Reply(
      label: model.labels?[prediction.classIndex] ?? "class \(prediction.classIndex)",
      probability: prediction.probability ?? 1,
      explainedShare: Double(explanation.relevance.sum()) / Double(explanation.score),
      overlay: try heatmap.overlay(on: model.preprocessing.visible(image)).pngData())
  }
}

/// The HTTP status for an error.
func status(for error: any Error) -> Int {
  switch (error as? any RelevanceKitError)?.category {
  case .usage: 400
  case .badData: 422
  case .missingInput: 404
  case .cannotWrite, nil: error is CancellationError ? 503 : 500
  }
}
