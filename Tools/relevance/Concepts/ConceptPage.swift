import Foundation
import RelevanceKit
import RelevanceToolSupport

/// A self-contained page of channels with their reference images.
struct ConceptPage: Encodable {
  /// A reference image of a channel.
  struct Example: Encodable {
    /// The number of the image on the page.
    let image: Int
    /// The name of the image.
    let name: String
    let label: String
    let value: Float
    let position: [Int]
    /// Left, top, width and height, in 1/10000 of the image's width or height.
    let box: [Int]
    /// The extents of the mask, and its values as bytes in Base64; empty without a mask.
    let grid: [Int]
    let mask: String
  }

  /// A channel.
  struct Card: Encodable {
    let channel: Int
    /// The share of the layer's relevance.
    let share: Double
    /// Further text.
    var words = ""
    /// The image number of the heatmap of the relevance that passes it.
    var map: Int?
    var relevance: [Example]
    var activation: [Example]
  }

  struct Layer: Encodable {
    let node: String
    var cards: [Card]
  }

  let title: String
  let subtitle: String
  /// Whether shares are means over many images.
  let isAtlas: Bool
  var layers: [Layer]
  /// The images, as data URLs.
  var images: [String] = []

  private enum CodingKeys: CodingKey { case layers, images, isAtlas }

  /// Adds an image, and returns its number.
  mutating func add(_ image: RGBImage) throws -> Int {
    let longest = max(image.width, image.height)
    let small =
      longest <= Self.longestSide
      ? image
      : try image.resized(
        width: max(1, image.width * Self.longestSide / longest),
        height: max(1, image.height * Self.longestSide / longest), by: .bilinear)
    images.append("data:image/jpeg;base64," + (try small.jpegData(quality: 82).base64EncodedString()))
    return images.count - 1
  }

  private static let longestSide = 256

  /// A reference image as it is on the page.
  ///
  /// - Parameter image: the number of the image on the page.
  static func example(
    _ reference: ConceptReference, _ view: ReferenceView, image: Int, name: String, labels: Labels?
  ) -> Example {
    Example(
      image: image, name: name.printable,
      label: (labels?[reference.classIndex] ?? "class \(reference.classIndex)").printable, value: reference.value,
      position: reference.position,
      box: [view.box.left, view.box.top, view.box.width, view.box.height].enumerated().map { place, length in
        length * 10_000 / max(place % 2 == 0 ? view.source.width : view.source.height, 1)
      },
      grid: view.mask.map { [$0.width, $0.height] } ?? [],
      mask: view.mask.map { Data($0.values.map { UInt8(($0 * 255).rounded()) }).base64EncodedString() } ?? "")
  }

  /// The page, in UTF-8.
  func html() throws -> String {
    let frame = PageFrame(
      title: title, style: ExplanationPage.style + Self.style, script: Self.script, data: try PageFrame.json(self))
    return frame.html(body: body)
  }

  private var explanation: String {
    isAtlas
      ? """
      For each channel: the images in which it has the largest share of the layer's relevance for their class, and the \
      images in which it has the largest share of the activation. The share of a channel is its mean over all images.
      """
      : """
      The channels that support the prediction most, each with a heatmap of the relevance that passes it, and with its \
      reference images from the index.
      """
  }

  private var body: HTML {
    let options = layers.map { "<option>\($0.node)</option>" as HTML }
    let rows = layers.flatMap { layer in
      layer.cards.map { card -> HTML in
        let names = card.relevance.map { "\($0.label) (\($0.name))" }.joined(separator: "; ")
        return """
          <tr><td>\(layer.node)</td><th scope="row">\(card.channel)</th>\
          <td class="number">\(String(format: "%.2f", card.share * 100)) %</td><td>\(names)</td></tr>
          """
      }
    }
    return """
      <header>
      <h1>\(title)</h1>
      <p class="quiet">\(subtitle)</p>
      </header>
      <main>
      <div class="controls scripted-only" role="group" aria-label="View">
      <label\(layers.count > 1 ? "" : " hidden" as HTML)>Layer <select id="layer">\(.joined(options))</select></label>
      <label>Search <input type="search" id="search" placeholder="channel or class" autocomplete="off"></label>
      <label>Order <select id="order"><option value="share">by share</option><option value="channel">by number</option>\
      </select></label>
      <label><input type="checkbox" id="masked" checked> dim irrelevant areas</label>
      <label><input type="checkbox" id="cropped" checked> crop to the receptive field</label>
      <output id="count" aria-live="polite"></output>
      </div>
      <p class="quiet scripted-only">\(explanation)</p>
      <div id="cards" class="scripted-only"></div>
      <div id="more"></div>
      <div class="static-only scroll"><table>\
      <caption>Images in which each channel has the largest share of relevance</caption>
      <thead><tr><th scope="col">Layer</th><th scope="col">Channel</th><th scope="col" class="number">Share</th>\
      <th scope="col">Images</th></tr></thead><tbody>
      \(.joined(rows))
      </tbody></table></div>
      <dialog id="large" aria-labelledby="large-title"><form method="dialog"><h2 id="large-title"></h2>
      <canvas id="large-view" role="img"></canvas><p id="large-words"></p>\
      <button autofocus>Close</button></form></dialog>
      </main>
      """
  }
}
