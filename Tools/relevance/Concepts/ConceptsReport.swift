import Foundation
import RelevanceKit
import ToolSupport

/// What `report.json` says of concepts.
struct ConceptsReport: JSONReport {
  struct Concept: Encodable {
    let channel: ChannelRelevance
    /// The sum of the map of what passes the channel.
    let sum: Double
    let files: String
  }

  struct Entry: Encodable {
    let input: String
    let target: String
    let label: String?
    let score: Float?
    let concepts: [Concept]
    /// All of the layer's, the most relevant first.
    let channels: [ChannelRelevance]
    /// What people read.
    let lines: [String]

    private enum CodingKeys: CodingKey { case input, target, label, score, concepts, channels }

    init(_ file: InputFile, _ study: ConceptStudy, labels: Labels?) {
      input = file.name
      target = study.target.description
      label = study.target.classIndex.flatMap { labels?[$0] }
      score = study.concepts.first?.explanation.score
      concepts = study.concepts.map {
        Concept(
          channel: $0.channel, sum: $0.explanation.signedRelevance.sum(),
          files: "\(file.stem)/\($0.explanation.fileName)")
      }
      channels = study.channels
      var rows = [["CHANNEL", "RELEVANCE", "SHARE", "ACTIVATION", "LARGEST AT"]]
      for channel in study.concepts.map(\.channel) {
        rows.append([
          "\(channel.channel)", String(format: "%.4g", channel.relevance),
          String(format: "%.1f %%", channel.share * 100),
          String(format: "%.4g", channel.activation), channel.position.map(String.init).joined(separator: ","),
        ])
      }
      lines =
        [
          "\(input): \(target)\(label.map { " (\($0))" } ?? "") by \(study.method), \(study.channels.count) channels of \(study.node)"
        ]
        + Columns.text(rows, rightAligned: 0...).split(separator: "\n").map { "  \($0)" }
    }
  }

  let model: String
  let table: String
  let layer: String
  let method: String
  var inputs: [Entry] = []
}
