import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The content of `report.json` for concepts.
struct ConceptsReport: JSONReport {
  struct Concept: Encodable {
    let channel: ChannelRelevance
    /// The sum of the relevance map through the channel.
    let sum: Double
    let files: String
    /// The reference images; nil without an index.
    let references: [Example]?
  }

  /// An image of an index.
  struct Example: Encodable {
    let input: String
    let target: String
    let label: String?
    let value: Float
    let position: [Int]

    init(_ item: ReferenceGallery.Item) {
      (input, label, value) = (item.name, item.label, item.reference.value)
      (target, position) = ("class:\(item.reference.classIndex)", item.reference.position)
    }
  }

  struct Entry: Encodable {
    let input: String
    let target: String
    let label: String?
    let score: Float?
    let concepts: [Concept]
    /// All channels of the layer, the most relevant first.
    let channels: [ChannelRelevance]
    /// The attribution graph of the target; nil if it was not requested.
    let graph: AttributionGraph?
    /// The printed lines.
    let lines: [String]

    private enum CodingKeys: CodingKey { case input, target, label, score, concepts, channels, graph }

    /// - Parameters:
    ///   - file: the input.
    ///   - study: its concepts.
    ///   - references: the reference images of each concept; empty without an index.
    ///   - graph: the attribution graph; nil if it was not requested.
    ///   - labels: the class names.
    init(
      _ file: InputFile, _ study: ConceptStudy, _ references: [[ReferenceGallery.Item]], _ graph: AttributionGraph?,
      labels: Labels?
    ) {
      self.graph = graph
      input = file.name
      target = study.target.description
      label = study.target.classIndex.flatMap { labels?[$0] }
      score = study.concepts.first?.explanation.score
      concepts = study.concepts.enumerated().map { number, concept in
        Concept(
          channel: concept.channel, sum: concept.explanation.signedRelevance.sum(),
          files: "\(file.stem)/\(concept.explanation.fileName)",
          references: references.isEmpty ? nil : references[number].map(Example.init))
      }
      channels = study.channels
      var rows = [
        ["CHANNEL", "RELEVANCE", "SHARE", "ACTIVATION", "LARGEST AT"]
          + (references.isEmpty ? [] : ["REFERENCES"])
      ]
      for (number, channel) in study.concepts.map(\.channel).enumerated() {
        let examples = references.isEmpty ? [] : references[number].prefix(3).map(\.shortLabel)
        rows.append(
          [
            "\(channel.channel)", String(format: "%.4g", channel.relevance),
            String(format: "%.1f %%", channel.share * 100),
            String(format: "%.4g", channel.activation), channel.position.map(String.init).joined(separator: ","),
          ] + (references.isEmpty ? [] : [examples.joined(separator: ", ")]))
      }
      lines =
        [
          "\(input): \(target)\(label.map { " (\($0))" } ?? "") by \(study.method), "
            + "\(study.channels.count) channels of \(study.node)"
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
