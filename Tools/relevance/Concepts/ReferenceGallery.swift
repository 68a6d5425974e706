import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The reference images of the channels of a layer, from an index.
struct ReferenceGallery {
  /// An image of a channel.
  struct Item {
    let reference: ConceptReference
    /// The quantity by which it is ranked.
    let order: ConceptIndex.Order
    /// The name in the index.
    let name: String
    let label: String?
    /// Nil if the image cannot be read.
    let view: ReferenceView?
  }

  private let index: ConceptIndex
  private let layer: ConceptIndex.Layer
  private let viewer: ReferenceViewer
  private let labels: Labels?
  let order: ConceptIndex.Order
  private let count: Int

  /// - Throws: `RelevanceKitError` if the index is of another layer or network.
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
        "\(folder): the index is of another network; create one with relevance concepts index", .usage)
    }
    self.layer = found
    viewer = ReferenceViewer(explainer, preprocessing: preprocessing, node: layer, method: LRP())
    (self.labels, self.order, self.count) = (labels, order, count)
  }

  /// The reference images of each concept of a study, the largest value first.
  ///
  /// - Throws: `RelevanceKitError` if an image cannot be explained.
  func shown(for study: ConceptStudy) throws -> [[Item]] {
    let chosen = study.concepts.map { concept in
      layer.references(of: concept.channel.channel, by: order).prefix(count).filter { $0.value > 0 }
    }
    // Run each image once for all of its channels.
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
