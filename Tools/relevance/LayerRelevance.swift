import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The relevance at a layer for an explanation.
struct LayerRelevance {
  let node: String
  /// Has the shape of the node's output.
  let relevance: Tensor
  /// The channels of the first item, the most relevant first.
  let channels: [ChannelRelevance]

  init(at node: String, for explanation: Explanation, in trace: Trace) throws {
    self.node = node
    let (method, conditions) = (explanation.method, explanation.conditions)
    relevance = try trace.relevance(
      of: explanation.target, at: node, by: method, through: conditions, exclusive: explanation.isExclusive)
    channels = try trace.channels(
      of: node, for: explanation.target, by: method, through: conditions, exclusive: explanation.isExclusive)[0]
  }

  /// The part of file names after that of the explanation.
  var fileName: String { "at-" + node.inFileNames }

  /// Writes the relevance, channels × height × width, as numbers and, if it has positions, its sum over the channels as
  /// an image.
  func write(_ explanation: Explanation, artifacts: Set<Explain.Artifact>, scale: ScaleArgument, to folder: URL) throws
  {
    let path = folder.appendingPathComponent("\(explanation.fileName).\(fileName)").path
    let item = relevance.shape.rank > 1 && relevance.shape[0] == 1
    if artifacts.contains(.npy) {
      let shape = item ? TensorShape(relevance.shape.dimensions.dropFirst().map { $0 }) : relevance.shape
      try NumPyFile.write(relevance.reshaped(to: shape), to: path + ".npy")
    }
    if artifacts.contains(.png), relevance.shape.rank == 4 {
      let values = try Heatmap.channelSum(relevance)
      let limit = try scale.scales(of: [(values: values, unit: explanation.quantity)])[0]
      let map = try Heatmap(values, scale: limit, colors: explanation.method.heatmapColors).image()
      // Enlarge small maps, so that single positions are visible.
      let factor = max(1, Self.leastSide / max(map.width, map.height, 1))
      try map.resized(width: factor * map.width, height: factor * map.height, by: .nearest).writePNG(to: path + ".png")
    }
  }

  private static let leastSide = 224
  private static let shown = 10

  /// The most relevant channels, as lines of a table.
  var lines: [String] {
    var rows = [["CHANNEL", "RELEVANCE", "SHARE", "ACTIVATION", "LARGEST AT"]]
    for channel in channels.prefix(Self.shown) {
      rows.append([
        "\(channel.channel)", String(format: "%.4g", channel.relevance), String(format: "%.1f %%", channel.share * 100),
        String(format: "%.4g", channel.activation), channel.position.map(String.init).joined(separator: ","),
      ])
    }
    let rest = channels.count - Self.shown
    return ["at \(node), \(channels.count) channels:"]
      + Columns.text(rows, rightAligned: 0...).split(separator: "\n").map { "  \($0)" }
      + (rest > 0 ? ["  and \(rest) more in report.json"] : [])
  }
}
