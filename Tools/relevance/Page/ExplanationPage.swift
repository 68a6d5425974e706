import Foundation
import RelevanceKit
import RelevanceToolSupport

/// A self-contained page with all explanations of one input.
///
/// The page contains maps as numbers, which a script draws; without scripts it shows images instead. Its content
/// security policy allows only this script and no external resources.
struct ExplanationPage {
  /// The file of the input.
  let input: String
  /// The resized and cropped image; nil for tensors.
  let image: RGBImage?
  let scores: PredictedScores
  let maps: [ShownMap]
  let scale: ScaleArgument
  let labels: Labels?
  /// The plan, and the shapes of its nodes for this input.
  let plan: RulePlan
  let shapes: [TensorShape]
  let model: String
  let warnings: [String]
  let provenance: Provenance
  let inputChecksum: String

  /// The page, in UTF-8.
  func html() throws -> String {
    let data = try PageData(maps, image: image, scale: scale, labels: labels)
    let name = URL(fileURLWithPath: input).lastPathComponent
    let frame = PageFrame(
      title: "\(title) – \(name)", style: Self.style, script: Self.script, data: try PageFrame.json(data))
    return frame.html(
      body: """
        <header>
        <h1>\(title)</h1>
        <p class="quiet">\(name), model \(model), rule table “\(plan.table.name)”</p>
        <nav aria-label="Parts of the page"><ul>
        <li><a href="#maps">Maps</a></li> <li><a href="#compare">Compare</a></li> <li><a href="#ledger">Ledger</a></li>
        <li><a href="#plan">Rules</a></li> <li><a href="#reproduce">Reproduce</a></li>
        </ul></nav>
        </header>
        <main>
        \(warningList)
        \(decision)
        \(mapSection)
        \(comparison)
        \(ledger)
        \(planTable)
        \(reproduction)
        </main>
        """)
  }

  /// The title, with the names of the targets.
  private var title: String {
    let names = targets.map { target in
      let label = target.classIndex.flatMap { labels?[$0] }
      return label?.split(separator: ",").first.map(String.init) ?? target.title(labels)
    }
    return "Explanation of " + names.prefix(3).joined(separator: names.count == 2 ? " and " : ", ")
      + (names.count > 3 ? ", …" : "")
  }

  private var targets: [Target] {
    maps.reduce(into: []) { targets, map in
      if !targets.contains(map.explanation.target) { targets.append(map.explanation.target) }
    }
  }

  private var warningList: HTML {
    guard !warnings.isEmpty else { return "" }
    return """
      <section aria-label="Warnings"><ul class="warnings">
      \(.joined(warnings.map { "<li>\($0)</li>" as HTML }))
      </ul></section>
      """
  }

  private var decision: HTML {
    let input: HTML =
      image.map { image in
        """
        <figure><img src="\(Self.uri(image))" width="\(image.width)" height="\(image.height)" \
        alt="The input image after resizing and cropping"><figcaption class="quiet">The input image after resizing and \
        cropping, \(image.width)×\(image.height) pixels</figcaption></figure>
        """
      } ?? "<p>The input is a tensor without an image.</p>"
    func row(_ name: String?, _ index: Int, share: Double?, _ score: Double) -> HTML {
      let percent = share.map { String(format: "%.2f", $0 * 100) }
      return """
        <tr><th scope="row">\(name ?? "–")</th><td class="number">\(index)</td>\
        <td class="number">\(percent.map { "\($0) %" } ?? "–")</td>\
        <td class="share"><span style="width:\(percent ?? "0")%"></span></td>\
        <td class="number">\(score.withDecimals)</td></tr>
        """
    }
    let rows =
      scores.candidates?.map {
        row(
          ($0.label ?? "–") + " at " + $0.position.map(String.init).joined(separator: ", "), $0.classIndex,
          share: $0.probability == nil ? nil : $0.confidence, Double($0.score))
      }
      ?? scores.regions?.map { row($0.label, $0.classIndex, share: $0.share, $0.meanLogit) }
      ?? scores.predictions.map { row($0.label, $0.classIndex, share: $0.probability, Double($0.logit)) }
    let (caption, share, score) =
      scores.candidates != nil
      ? ("The best classes, each at its best position", "Probability", "Score")
      : scores.regions == nil
        ? ("The most probable classes", "Probability", "Logit")
        : ("The classes with the largest regions", "Share of positions", "Mean logit")
    return """
      <section aria-labelledby="decision"><h2 id="decision">Prediction</h2>
      <div class="decision">
      \(input)
      <table><caption>\(caption)</caption>
      <thead><tr><th scope="col">Name</th><th scope="col" class="number">Class</th><th scope="col" class="number">\
      \(share)</th><td></td><th scope="col" class="number">\(score)</th></tr></thead>
      <tbody>
      \(.joined(rows))
      </tbody></table>
      </div></section>
      """
  }

  private var mapSection: HTML {
    let overlay: HTML =
      image == nil
      ? ""
      : """
      <fieldset><legend>Show</legend>
      <label><input type="radio" name="view" value="map" checked> map</label>
      <label><input type="radio" name="view" value="overlay"> over the image</label>
      <label for="opacity">Opacity</label>
      <input type="range" id="opacity" min="0" max="100" step="5" value="\(Int(Heatmap.fullOpacity * 100))">
      <output id="opacity-value" for="opacity">\(Int(Heatmap.fullOpacity * 100)) %</output>
      </fieldset>
      """
    let groups = targets.map { target -> HTML in
      let figures = maps.enumerated().filter { $0.element.explanation.target == target }.map { figure($1, number: $0) }
      let first = maps.first { $0.explanation.target == target }?.explanation
      let score = first?.score ?? 0
      let kind =
        switch target {
        case .unit: "activation"
        case .cosine: "cosine"
        default: "logit"
        }
      let box = first?.boxes.first.map { ": \($0.title(labels, scores))" } ?? ""
      return """
        <h3>\(target.title(labels))\(box), \(kind) \(Double(score).withDecimals)</h3>
        <div class="maps">
        \(.joined(figures))
        </div>
        """
    }
    return """
      <section aria-labelledby="maps"><h2 id="maps">Heatmaps</h2>
      <p>The color of a pixel is its relevance, summed over the channels. In maps with both signs, red pixels support \
      the target and blue pixels contradict it. Maps that are never negative range from white through orange to nearly \
      black. White is zero, and darker colors are larger magnitudes. Overlays use only the darker half of the colors, \
      and larger magnitudes are more opaque.</p>
      <div class="controls scripted-only" role="group" aria-label="Drawing of maps">
      <fieldset><legend>Color scale</legend>
      <label><input type="radio" name="scale" value="own"> own</label>
      <label><input type="radio" name="scale" value="common"> common</label>
      <label><input type="radio" name="scale" value="fixed"> fixed at |r| =</label>
      <input type="number" id="fixed" min="0" step="any" aria-label="The |r| of the full color">
      </fieldset>
      \(overlay)
      </div>
      \(.joined(groups))
      </section>
      """
  }

  private func figure(_ map: ShownMap, number: Int) -> HTML {
    let (explanation, method) = (map.explanation, map.explanation.methodTitle)
    let alt = "Relevance map of \(explanation.target.title(labels)) by \(method)"
    let sum = String(format: "%.4g", explanation.relevance.sum())
    let remarks = explanation.allRemarks.map { "<p>\($0.prefix(1).uppercased() + $0.dropFirst()).</p>" as HTML }
    return """
      <figure class="map" id="map-\(number)"><h4>\(method)</h4>
      <img class="view static-only" src="\(Self.uri(map.heatmap.image()))" alt="\(alt)" width="\(map.heatmap.width)" \
      height="\(map.heatmap.height)">
      \(canvas(alt))
      \(Self.bar)
      <figcaption><p class="words">\(map.words)</p><p>Sum \(sum) \
      (\(explanation.quantity))</p>\(.joined(remarks))</figcaption></figure>
      """
  }

  func canvas(_ alt: String, isFocusable: Bool = false) -> HTML {
    let (width, height) = (maps.first?.heatmap.width ?? 0, maps.first?.heatmap.height ?? 0)
    let focus: HTML = isFocusable ? " tabindex=\"0\"" : ""
    return """
      <canvas class="view scripted-only" width="\(width)" height="\(height)" role="img" \
      aria-label="\(alt)"\(focus)></canvas>
      """
  }

  static let bar: HTML = """
    <div class="bar scripted-only"><canvas width="256" height="1" aria-hidden="true"></canvas><div></div></div>
    """

  private static func uri(_ image: RGBImage) -> HTML {
    // Encoding cannot fail, because the images of the page have pixels.
    HTML(markup: "data:image/png;base64," + ((try? image.pngData())?.base64EncodedString() ?? ""))
  }
}
