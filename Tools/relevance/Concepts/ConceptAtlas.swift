import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Creates the page of all channels of an index.
struct ConceptAtlas {
  private let index: ConceptIndex
  private let setting: DataRunOptions.Setting
  private let method: any AttributionMethod
  private let top: Int

  /// - Parameters:
  ///   - index: the index.
  ///   - setting: the network and the data.
  ///   - method: the method of the maps.
  ///   - top: the number of images for each channel, by relevance and by activation.
  init(_ index: ConceptIndex, _ setting: DataRunOptions.Setting, method: any AttributionMethod, top: Int) {
    (self.index, self.setting, self.method, self.top) = (index, setting, method, top)
  }

  /// The place of a reference image on the page.
  private struct Place {
    let layer, channel: Int
    let order: ConceptIndex.Order
    let rank: Int
    let reference: ConceptReference
  }

  /// Creates the page. An image that cannot be read is left out with a note.
  ///
  /// - Throws: `RelevanceKitError` if an image cannot be encoded.
  func page() throws -> ConceptPage {
    let explainer = setting.subject.explainer
    let layers = index.layers.map(\.node).joined(separator: ", ")
    var page = ConceptPage(
      title: "Channels of \(layers) and their reference images",
      subtitle:
        "\(setting.data.name), \(index.inputs.count) images, rule table “\(explainer.plan.table.name)”",
      isAtlas: true,
      layers: index.layers.map { layer in
        ConceptPage.Layer(
          node: layer.node,
          cards: (0..<layer.channels).map {
            ConceptPage.Card(channel: $0, share: layer.meanShare(of: $0), relevance: [], activation: [])
          })
      })
    let viewers = index.layers.map {
      ReferenceViewer(explainer, preprocessing: explainer.preprocessing, node: $0.node, method: method)
    }
    // Each image is run once for each layer.
    let byInput = Dictionary(grouping: places, by: \.reference.input).sorted { $0.key < $1.key }
    let progress = ProgressLine("drawing", total: byInput.count)
    defer { progress.end() }
    var drawn: [(place: Place, example: ConceptPage.Example)] = []
    for (number, (input, places)) in byInput.enumerated() {
      progress.update(done: number)
      do {
        var image: Int?
        for (layer, places) in Dictionary(grouping: places, by: \.layer).sorted(by: { $0.key < $1.key }) {
          let views = try viewers[layer].views(of: places.map { ($0.channel, $0.reference) }, in: index.files[input])
          for (place, view) in zip(places, views) {
            let own = try image ?? page.add(view.source)
            image = own
            drawn.append(
              (
                place,
                ConceptPage.example(
                  place.reference, view, image: own, name: index.inputs[input], labels: setting.labels)
              ))
          }
        }
      } catch let error as any RelevanceKitError {
        Console.note("\(index.inputs[input]) is not shown: \(error)")
      }
    }
    for (place, example) in drawn.sorted(by: { $0.place.rank < $1.place.rank }) {
      switch place.order {
      case .relevance: page.layers[place.layer].cards[place.channel].relevance.append(example)
      case .activation: page.layers[place.layer].cards[place.channel].activation.append(example)
      }
    }
    return page
  }

  /// All references on the page: those with a value above 0.
  private var places: [Place] {
    index.layers.enumerated().flatMap { number, layer in
      (0..<layer.channels).flatMap { channel in
        ConceptIndex.Order.allCases.flatMap { order in
          layer.references(of: channel, by: order).prefix(top).enumerated().filter { $0.element.value > 0 }.map {
            Place(layer: number, channel: channel, order: order, rank: $0, reference: $1)
          }
        }
      }
    }
  }
}
