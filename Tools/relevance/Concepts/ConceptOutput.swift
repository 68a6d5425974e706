import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The files for the concepts of an input.
struct ConceptOutput {
  let study: ConceptStudy
  let input: Input
  let name: String
  let hasChannelsLast: Bool
  let labels: Labels?
  /// The reference images of each concept; empty without an index.
  let references: [[ReferenceGallery.Item]]
  /// The attribution graph of the target; nil if it was not requested.
  let graph: AttributionGraph?

  private static let perRow = 6
  private static let leastSide = 180

  /// Writes the maps, a figure and a page of all maps, and the attribution graph, as requested.
  ///
  /// - Returns: a line for each kind of written files.
  /// - Throws: `RelevanceKitError` if a file cannot be written.
  func write(_ kinds: Set<ConceptsShow.Kind>, to folder: URL) throws -> [String] {
    guard !study.concepts.isEmpty, !kinds.subtracting([.json]).isEmpty else { return [] }
    try makeFolder(folder)
    let explanations = study.concepts.map(\.explanation)
    var lines: [String] = []
    if kinds.contains(.npy) {
      for explanation in explanations {
        let map = explanation.relevance.summedOverItems
        try NumPyFile.write(
          map.reshaped(to: TensorShape(map.shape.dimensions.dropFirst().map { $0 })),
          to: folder.appendingPathComponent(explanation.fileName + ".npy").path)
      }
      lines.append(
        "\(explanations[0].fileName).npy\(explanations.count > 1 ? " etc." : ""): relevance that passes a channel")
    }
    if kinds.contains(.svg), let graph {
      let drawing = graph.drawing(title: title, labels: labels)
      try writeFile(Data(drawing.svg().utf8), to: folder.appendingPathComponent("graph.svg"))
      lines.append("graph.svg: attribution graph")
    }
    guard input.tensor.shape.rank == 4, kinds.contains(.png) || kinds.contains(.html) else { return lines }
    // Scale each map separately, so that channels with little relevance are visible; captions contain the shares.
    let maps = try ShownMap.maps(of: explanations, hasChannelsLast: hasChannelsLast, scale: .own)
    let images = maps.map { map in input.image.map { map.heatmap.overlay(on: $0) } ?? map.heatmap.image() }
    if kinds.contains(.png) {
      try montage(images).writePNG(to: folder.appendingPathComponent("concepts.png").path)
      lines.append("concepts.png: all maps, each with its own scale")
    }
    if kinds.contains(.html) {
      try writeFile(Data(page(images).html().utf8), to: folder.appendingPathComponent("concepts.html"))
      lines.append("concepts.html: all maps\(references.isEmpty ? "" : " and images") on one page")
    }
    return lines
  }

  private var title: String { "\(study.target.title(labels)) by \(study.method) at \(study.node)" }

  /// The maps in rows or, with references, a row for each channel with its map and its reference images.
  private func montage(_ images: [RGBImage]) throws -> RGBImage {
    let cells = try zip(images, study.concepts).map { image, concept in
      let factor = max(1, Self.leastSide / max(image.width, 1))
      return LabeledMontage.Cell(
        try image.resized(width: factor * image.width, height: factor * image.height, by: .nearest),
        caption: String(format: "channel %d\n%.1f %%", concept.channel.channel, concept.channel.share * 100))
    }
    let rows =
      if references.isEmpty {
        stride(from: 0, to: cells.count, by: Self.perRow).map {
          LabeledMontage.Row(Array(cells[$0..<min($0 + Self.perRow, cells.count)]))
        }
      } else {
        try zip(cells, references).map { cell, items in
          LabeledMontage.Row(
            [cell]
              + (try items.compactMap { item in
                try item.view.map {
                  LabeledMontage.Cell(
                    try $0.image(side: Self.leastSide),
                    caption: String(
                      format: "%@\n%.2f %%", item.shortLabel as NSString, item.reference.value * 100))
                }
              }))
        }
      }
    return LabeledMontage(title: title, rows: rows).image()
  }

  private func page(_ images: [RGBImage]) throws -> ConceptPage {
    var page = ConceptPage(
      title: "Concepts: \(title)", subtitle: "\(name), the \(study.concepts.count) most relevant channels",
      isAtlas: false, layers: [ConceptPage.Layer(node: study.node, cards: [])])
    var numbers: [String: Int] = [:]
    for (number, (image, concept)) in zip(images, study.concepts).enumerated() {
      let channel = concept.channel
      var card = ConceptPage.Card(channel: channel.channel, share: channel.share, relevance: [], activation: [])
      card.words = String(format: "relevance %.4g, activation %.4g", channel.relevance, channel.activation)
      card.map = try page.add(image)
      for item in references.isEmpty ? [] : references[number] {
        guard let view = item.view else { continue }
        let own = try numbers[item.name] ?? page.add(view.source)
        numbers[item.name] = own
        let example = ConceptPage.example(item.reference, view, image: own, name: item.name, labels: labels)
        if item.order == .relevance { card.relevance.append(example) } else { card.activation.append(example) }
      }
      page.layers[0].cards.append(card)
    }
    return page
  }
}

extension ReferenceGallery.Item {
  /// The first name of the class.
  var shortLabel: String {
    (label?.split(separator: ",").first.map(String.init) ?? "class \(reference.classIndex)").printable
  }
}

extension AttributionGraph {
  /// A drawing with the target at the top and a row for the channels of each layer.
  func drawing(title: String, labels: Labels?) -> LayeredGraph {
    let levels = (0...layers.count).map { level in vertices.indices.filter { vertices[$0].level == level } }
    let rows = levels.enumerated().map { level, own in
      let boxes = own.map { number in
        let vertex = vertices[number]
        guard let channel = vertex.channel else {
          return LayeredGraph.Vertex(targetLines(labels), weight: 1)
        }
        return LayeredGraph.Vertex(
          ["channel \(channel)", String(format: "%.1f %%", vertex.share * 100)], weight: vertex.share)
      }
      return (name: level == 0 ? "" : layers[level - 1], vertices: boxes)
    }
    let places = Dictionary(
      uniqueKeysWithValues: levels.flatMap { own in own.enumerated().map { ($0.element, $0.offset) } })
    let largest = edges.map { abs($0.share) }.max() ?? 0
    return LayeredGraph(
      title: "\(title)\nLine width: share of the relevance that passes the channel above", rows: rows,
      edges: edges.map { edge in
        LayeredGraph.Edge(
          row: vertices[edge.from].level, from: places[edge.from] ?? 0, to: places[edge.to] ?? 0,
          weight: largest > 0 ? edge.share / largest : 0)
      })
  }

  private func targetLines(_ labels: Labels?) -> [String] {
    switch Target(target) {
    case .unit(let node, let channel, let position)?:
      ["channel \(channel)" + (position.map { " at \($0.map(String.init).joined(separator: ","))" } ?? ""), node]
    case .class(let index, nil)?: ["class \(index)"] + (labels?[index].map { [$0] } ?? [])
    default: [target]
    }
  }
}
