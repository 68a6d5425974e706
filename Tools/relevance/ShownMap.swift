import Foundation
import RelevanceKit

/// An explanation as it is drawn: relevance by position, and colors.
struct ShownMap {
  let explanation: Explanation
  let heatmap: Heatmap
  /// The choice of the heatmap's scale.
  let scale: ScaleArgument

  /// Relevance by position, height × width.
  var values: Tensor { heatmap.values }

  /// Whether the map is 0 everywhere, such as a contrastive map of a class that the network does not support.
  var isEmpty: Bool { values.largestMagnitude() == 0 }

  /// The maps of one input.
  ///
  /// - Parameter hasChannelsLast: whether maps are height × width × channels.
  static func maps(of explanations: [Explanation], hasChannelsLast: Bool, scale: ScaleArgument) throws -> [ShownMap] {
    let sums = try explanations.map { explanation in
      let relevance = explanation.relevance.summedOverItems
      return (
        values: try Heatmap.channelSum(hasChannelsLast ? relevance.transposed([0, 3, 1, 2]) : relevance),
        unit: explanation.quantity
      )
    }
    let scales = try scale.scales(of: sums)
    return try explanations.indices.map { i in
      ShownMap(
        explanation: explanations[i],
        heatmap: try Heatmap(sums[i].values, scale: scales[i], colors: explanations[i].method.heatmapColors),
        scale: scale)
    }
  }

  /// The meaning of the colors and the share of clipped pixels.
  var words: String {
    if isEmpty { return "The map is empty: it is 0 everywhere (\(explanation.quantity))." }
    let clipped = String(format: "%.2f", heatmap.clippedShare * 100)
    return "Full color at |r| = \(String(format: "%.3g", heatmap.limit)) (\(explanation.quantity)): "
      + "\(scale.words(unit: explanation.quantity)). \(clipped) % of the pixels exceed it and are clipped."
  }
}

extension Target {
  /// The name of a target in figures: `zebra (class 340)`, `region of cat (class 8)`, `channel 13 of conv5 at 6, 7`.
  func title(_ labels: Labels?) -> String {
    switch self {
    case .class(let index, let position):
      (labels?[index].map { "\($0) (class \(index))" } ?? "class \(index)")
        + (position.map { " at \($0.map(String.init).joined(separator: ", "))" } ?? "")
    case .top: description
    case .box(let rank): "box \(rank)"
    case .cosine(let reference): "cosine to \(reference.name)"
    case .region(let index): "region of " + (labels?[index].map { "\($0) (class \(index))" } ?? "class \(index)")
    case .unit(let node, let channel, let position):
      "channel \(channel) of \(node)" + (position.map { " at \($0.map(String.init).joined(separator: ", "))" } ?? "")
    }
  }
}

/// A figure of all maps of one input: a row for each target, a column for each method, and a color bar below each map.
struct MapSheet {
  let image: RGBImage

  /// The least width of a map in pixels, so that the numbers below it fit. Smaller maps are enlarged by whole factors.
  private static let leastSide = 180

  init(_ maps: [ShownMap], labels: Labels?) throws {
    var targets: [Target] = []
    for map in maps where !targets.contains(map.explanation.target) { targets.append(map.explanation.target) }
    let rows = try targets.map { target in
      LabeledMontage.Row(
        title: target.title(labels),
        try maps.filter { $0.explanation.target == target }.map {
          LabeledMontage.Cell(try Self.withBar($0), caption: $0.explanation.method.description)
        })
    }
    let title =
      switch maps.first?.scale ?? .own {
      case .own: "Full color: each map's own 99.9th percentile of |r|"
      case .common: "Full color: the 99.9th percentile of |r| over all maps of the same unit"
      case .fixed(let limit): "Full color: |r| = \(limit), as given"
      }
    image = LabeledMontage(title: title, rows: rows, captionPlace: .above, margin: 12).image()
  }

  private static func withBar(_ map: ShownMap) throws -> RGBImage {
    let side = max(1, (leastSide + map.heatmap.width - 1) / max(map.heatmap.width, 1))
    let clipped = String(format: "%.2f", map.heatmap.clippedShare * 100)
    let label = "\(map.explanation.quantity), " + (map.isEmpty ? "0 everywhere" : "\(clipped) % clipped")
    return LabeledMontage(
      rows: [.init([.init(try map.heatmap.image(pixelsPerPosition: side))])],
      colorBar: ColorBar(map.heatmap, label: label), textSize: 12, margin: 4
    ).image()
  }
}

extension Tensor {
  /// The sum over the items of a batch, for networks that take the same image several times.
  var summedOverItems: Tensor {
    guard shape.rank == 4, shape[0] > 1 else { return self }
    return (1..<shape[0]).reduce(item(0)) { $0.combined(with: item($1), +) }
  }
}
