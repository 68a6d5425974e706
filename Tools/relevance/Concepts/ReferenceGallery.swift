import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The images of an index in which channels of a layer count most.
struct ReferenceGallery {
  /// An image of a channel.
  struct Item {
    let reference: ConceptReference
    /// What it was found by.
    let order: ConceptIndex.Order
    /// Its name in the index.
    let name: String
    let label: String?
    /// Nil if it cannot be read any more.
    let view: ReferenceView?
  }

  private let index: ConceptIndex
  private let layer: ConceptIndex.Layer
  private let viewer: ReferenceViewer
  private let labels: Labels?
  let order: ConceptIndex.Order
  private let count: Int

  /// - Throws: `RelevanceKitError` if the index is not one of the layer in this network.
  init(
    _ folder: String, layer: String, explainer: Explainer, preprocessing: Preprocessing, labels: Labels?,
    order: ConceptIndex.Order, count: Int
  ) throws {
    index = try ConceptIndex(contentsOf: folder)
    guard let found = index[layer] else {
      throw SimpleError(
        "\(folder): expected an index of \(layer), found one of \(index.layers.map(\.node).joined(separator: ", "))",
        .usage)
    }
    guard index.isOf(explainer.network) else {
      throw SimpleError(
        "\(folder): the index is of another network; relevance concepts index makes one of this network", .usage)
    }
    self.layer = found
    viewer = ReferenceViewer(explainer, preprocessing: preprocessing, node: layer, method: LRP())
    (self.labels, self.order, self.count) = (labels, order, count)
  }

  /// For each concept of a study its images, the largest first.
  ///
  /// - Throws: `RelevanceKitError` if an image cannot be explained.
  func shown(for study: ConceptStudy) throws -> [[Item]] {
    let chosen = study.concepts.map { concept in
      layer.references(of: concept.channel.channel, by: order).prefix(count).filter { $0.value > 0 }
    }
    // Each image is run once.
    var views: [[Int]: ReferenceView] = [:]
    var wanted: [Int: [(channel: Int, reference: ConceptReference)]] = [:]
    for (concept, references) in zip(study.concepts, chosen) {
      for reference in references { wanted[reference.input, default: []].append((concept.channel.channel, reference)) }
    }
    for (input, references) in wanted.sorted(by: { $0.key < $1.key }) {
      do {
        for (each, view) in zip(references, try viewer.views(of: references, in: index.files[input])) {
          views[[input, each.channel]] = view
        }
      } catch let error as any RelevanceKitError {
        Console.note("\(index.inputs[input]) is not shown: \(error)")
      }
    }
    return zip(study.concepts, chosen).map { concept, references in
      references.map { reference in
        Item(
          reference: reference, order: order, name: index.inputs[reference.input], label: labels?[reference.classIndex],
          view: views[[reference.input, concept.channel.channel]])
      }
    }
  }
}
