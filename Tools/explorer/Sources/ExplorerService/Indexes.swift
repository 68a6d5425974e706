import Foundation
import RelevanceKit
import Synchronization

/// The concept indexes of the service: those that it was started with, and those that it has made.
final class Indexes: Sendable {
  private let known: Mutex<[ConceptIndex]>

  init(_ folders: [String]) throws { known = Mutex(try folders.map { try ConceptIndex(contentsOf: $0) }) }

  func add(_ index: ConceptIndex) { known.withLock { $0.insert(index, at: 0) } }

  /// The layers of a network that have an index.
  func nodes(of entry: Models.Entry) -> [String] {
    var nodes: [String] = []
    for index in known.withLock({ $0 }) where index.isOf(entry.model.network) {
      for layer in index.layers where !nodes.contains(layer.node) { nodes.append(layer.node) }
    }
    return nodes
  }

  /// The latest index that contains a layer of a network.
  func index(of node: String, in entry: Models.Entry) throws -> (index: ConceptIndex, layer: ConceptIndex.Layer) {
    for index in known.withLock({ $0 }) where index.isOf(entry.model.network) {
      if let layer = index[node] { return (index, layer) }
    }
    throw ServiceError(
      .missing, "\(node.prefix(80)) has no concept index; make one with POST /api/index")
  }
}

/// A reference image of a channel.
public struct ReferenceRow: Encodable, Sendable {
  /// The identifier that requests use, or nil if the service may not read the image.
  let image: String?
  let name: String
  let title: String
  let value: Float
  let position: [Int]
}

public struct ReferencesAnswer: Encodable, Sendable {
  let node: String
  let channel: Int
  let order: String
  /// The channel's mean share of the layer's relevance over all images of the index.
  let meanShare: Double
  let references: [ReferenceRow]
}

extension Explorer {
  /// The images of an index with the most relevance or activation in a channel.
  public func references(_ question: Question) throws -> ReferencesAnswer {
    let entry = try models.entry(question.model)
    let (node, channel) = (try question.required(\.node, "node"), try question.required(\.channel, "channel"))
    let (index, layer) = try indexes.index(of: node, in: entry)
    guard let order = ConceptIndex.Order(rawValue: question.order ?? "relevance") else {
      throw ServiceError(.malformed, "order is \(question.order ?? ""); expected relevance or activation")
    }
    guard (0..<layer.channels).contains(channel) else {
      throw ServiceError(.unanswerable, "channel is \(channel); \(node) has channels 0 to \(layer.channels - 1)")
    }
    let rows = layer.references(of: channel, by: order).prefix(question.top ?? 8).map { reference in
      ReferenceRow(
        image: images.identifier(ofFile: index.files[reference.input]), name: index.inputs[reference.input],
        title: Target.class(reference.classIndex).title(entry.model.labels), value: reference.value,
        position: reference.position)
    }
    return ReferencesAnswer(
      node: node, channel: channel, order: order.rawValue, meanShare: layer.meanShare(of: channel), references: rows)
  }

  /// The network's input, cropped to the receptive field of a position of a layer, as PNG; the whole input without a
  /// position.
  public func crop(_ question: Question, position: [Int]) throws -> Data {
    let entry = try models.entry(question.model)
    let image = try inputImage(of: question)
    guard let node = question.node, position.count == 2, !entry.hasChannelsLast else { return try image.pngData() }
    let fields = try fields(
      entry, node, [1, entry.model.preprocessing.colors.rawValue, image.height, image.width])
    guard fields.extents.count == 2, zip(position, fields.extents).allSatisfy({ (0..<$1).contains($0) }) else {
      throw ServiceError(.unanswerable, "\(node) has no position \(position.map(String.init).joined(separator: ", "))")
    }
    let field = try fields.field(at: position)
    let (rows, columns) = (field.rows, field.columns)
    guard !rows.isEmpty, !columns.isEmpty else { return try image.pngData() }
    let pixels = rows.flatMap { row in
      image.pixels[(row * image.width + columns.lowerBound) * 3..<(row * image.width + columns.upperBound) * 3]
    }
    return try RGBImage(width: columns.count, height: rows.count, pixels: pixels).pngData()
  }

  /// An image as PNG, reduced so that no side is longer than `side` pixels.
  public func thumbnail(_ id: String, side: Int) throws -> Data {
    let image = try images.image(id)
    let longest = max(image.width, image.height)
    guard longest > side else { return try image.pngData() }
    return try image.resized(
      width: max(1, image.width * side / longest), height: max(1, image.height * side / longest), by: .bilinear
    ).pngData()
  }
}
