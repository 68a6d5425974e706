import Foundation
import Networks
import RelevanceKit

// Usage: Dependent MODEL IMAGE OVERLAY
//
// Explains the top two classes for an image of two digits, and writes the first one's heatmap over the image to
// OVERLAY. The rule table is YAML, as a user writes it, and uses the custom rule.

print("a module of another package: \(Networks.name)")
let words = CommandLine.arguments
let model = try Model(contentsOf: words[1])
let image = try RGBImage(contentsOf: words[2])

let table = try RuleTable(
  yaml: """
    name: mine
    extends: default
    rules:
      - {op: Conv, position: first, rule: absolute, stabilizer: 0.1}
    """, pixelRange: model.preprocessing.pixelRange, catalog: .standard.adding(Absolute.self))
let explainer = try Explainer(model, rules: table)
print(explainer.plan)

let trace = try explainer.trace(image)
let predictions = trace.predictions().prefix(2)
// The boxes of the digits, from the data set.
let boxes = [
  8: BoundingBox(left: 31, top: 24, right: 45, bottom: 47), 0: BoundingBox(left: 1, top: 34, right: 24, bottom: 58),
]
// The last method is created from its name, as on a command line.
let weaker = try MethodCatalog.standard.adding(RunnerUp.self).method(parsing: "runner-up:strength=0.9")
for method in [.lrp, .clrp1, RunnerUp(), weaker] as [any AttributionMethod] {
  let explanations = try trace.explain(predictions.map { .class($0.classIndex) }, by: method)
  for (prediction, explanation) in zip(predictions, explanations) {
    let map = try SaliencyMap(explanation)
    let region = try Region([boxes[prediction.classIndex]!], height: map.height, width: map.width)
    let score = try PointingScore(map, in: region)
    print(
      String(
        format: "%@ of %@: logit %.2f, relevance %.2f, %.0f %% in its box, maximum %@", method.description,
        model.labels?[prediction.classIndex] ?? "?", explanation.score, explanation.relevance.sum(),
        100 * score.energyShare, score.maximumHits ? "inside" : "outside"))
    for cause in AbsorptionCause.allCases where explanation.ledger.losses[cause, default: 0].magnitude > 0.01 {
      print(String(format: "  absorbed, %@: %.2f", "\(cause)", explanation.ledger.losses[cause]!))
    }
  }
}

let first = try trace.explain(.class(predictions[0].classIndex), by: .clrp1)
let overlay = try Heatmap(first.relevance, colors: first.method.heatmapColors).overlay(
  on: try model.preprocessing.visible(image))
try overlay.writePNG(to: words[3])
print("overlay of \(overlay.width)×\(overlay.height) pixels")
