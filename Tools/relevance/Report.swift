import Foundation
import RelevanceKit
import ToolSupport

/// What `report.json` says of a run.
struct Report: Encodable {
  struct NodeSums: Encodable {
    let node: String
    let rule: String
    let relevanceIn: Double
    let relevanceOut: Double
    let absorbed: Double
    /// By cause; causes that took nothing are left out.
    let losses: [String: Double]
    let magnitudeIn: Double
    let magnitudeOut: Double
  }

  struct ExplanationEntry: Encodable {
    let target: String
    let label: String?
    let method: String
    let score: Float
    /// Sums of the map: all of it before negative parts are dropped, and what is shown.
    let signedSum: Double
    let sum: Double
    let absorbed: Double
    let losses: [String: Double]
    let ledger: [NodeSums]
    let files: String
  }

  struct InputEntry: Encodable {
    let input: String
    let shape: [Int]
    let predictions: [PredictedScores.ClassScore]
    /// Where classes have scores at several positions, those that have the largest score at the most.
    let regions: [PredictedScores.RegionScore]?
    let explanations: [ExplanationEntry]
    /// What people read of the predictions.
    let lines: [String]

    private enum CodingKeys: CodingKey {
      case input, shape, predictions, regions, explanations
    }
  }

  let model: String
  /// What the model's file calls the output that is explained.
  let output: String
  let table: String
  private(set) var inputs: [InputEntry] = []
  private(set) var warnings: [String] = []
  /// Those of `warnings` that are about inputs outside of rule z^B's box.
  private var boxNotes: Set<String> = []

  private enum CodingKeys: CodingKey {
    case model, output, table, inputs, warnings
  }

  init(model: String, plan: RulePlan, methods: [any AttributionMethod]) {
    self.model = model
    output = plan.network.graph.outputName
    table = plan.table.name
    warnings = plan.warnings + methods.flatMap { $0.warnings(under: plan) }
  }

  /// Adds an input; `notes` says if it leaves the box of rule z^B.
  mutating func add(
    _ file: InputFile, trace: Trace, explanations: [Explanation], labels: Labels?, warnings: [String],
    notes: [String] = []
  ) throws {
    let entries = explanations.map { explanation in
      ExplanationEntry(
        target: explanation.target.description, label: explanation.target.classIndex.flatMap { labels?[$0] },
        method: explanation.method.description, score: explanation.score,
        signedSum: explanation.signedRelevance.sum(), sum: explanation.relevance.sum(),
        absorbed: explanation.ledger.absorbed, losses: Self.named(explanation.ledger.losses),
        ledger: explanation.ledger.map {
          NodeSums(
            node: $0.node, rule: $0.rule, relevanceIn: $0.relevanceIn, relevanceOut: $0.relevanceOut,
            absorbed: $0.absorbed, losses: Self.named($0.losses), magnitudeIn: $0.magnitudeIn,
            magnitudeOut: $0.magnitudeOut)
        }, files: "\(file.stem)/\(explanation.fileName)")
    }
    boxNotes.formUnion(notes)
    self.warnings += notes + warnings
    let scores = PredictedScores(
      try trace.scores(ofItem: 0), layout: trace.layout, labels: labels, top: Self.shownClasses)
    inputs.append(
      InputEntry(
        input: file.name, shape: trace.input.shape.dimensions, predictions: scores.predictions,
        regions: scores.regions, explanations: entries, lines: scores.lines))
  }

  private static let shownClasses = 5

  /// Says what is doubtful.
  func note() {
    let notes = BoxNotes()
    for warning in warnings {
      if boxNotes.contains(warning) { notes.say(warning) } else { Console.note(warning) }
    }
    notes.end()
  }

  /// That of several regions the largest is explained unless another is asked for, and which is the next; nil if there is one.
  static func choice(of trace: Trace, labels: Labels?) -> String? {
    guard trace.layout.hasPositions, let regions = trace.regions.first, regions.count > 1 else { return nil }
    func title(_ index: Int) -> String { "region:\(index)" + (labels?[index].map { " (\($0))" } ?? "") }
    return String(
      format:
        "%@ is explained, which has the largest score at %.4g %% of the positions and may be the background; --target region:%d%@",
      title(regions[0].classIndex), regions[0].share * 100, regions[1].classIndex, " explains the next")
  }

  /// What is doubtful about explanations, a sentence each.
  static func warnings(
    of explanations: [Explanation], input: String, labels: Labels?, layout: ScoreLayout
  ) -> [String] {
    var warnings: [String] = []
    for case .unit(let node, let channel, _) in Set(explanations.filter(\.isUnsupported).map(\.target)) {
      warnings.append("\(input): channel \(channel) of node \(node) is not active there: there is nothing to explain")
    }
    for explanation in explanations
    where !explanation.isUnsupported && explanation.method.isRelevance && !explanation.method.isContrastive
      && explanation.warnings.isEmpty && explanation.signedRelevance.largestMagnitude() == 0
    {
      let lost = explanation.ledger.max { abs($0.absorbed) < abs($1.absorbed) }
      let cause = lost?.losses.max { abs($0.value) < abs($1.value) }?.key
      warnings.append(
        "\(input): nothing of \(explanation.target)'s relevance by \(explanation.method) reaches the input"
          + (lost.map { "; it stops at \($0.node)\(cause.map { " (\($0.rawValue))" } ?? "")" } ?? ""))
    }
    if layout.decision == .quantity, let contrast = explanations.first(where: \.method.isContrastive)?.method,
      !(contrast is CLRP2)
    {
      warnings.append(
        "\(input): the output is a quantity without alternatives, so that \(contrast) contrasts it with nothing")
    }
    // A quantity may well be negative.
    let votes = layout.decision == .quantity ? [] : explanations.filter(\.isUnsupported)
    for index in Set(votes.compactMap(\.target.classIndex)).sorted() {
      let name = labels?[index].map { " (\($0))" } ?? ""
      warnings.append("\(input): the logit of class \(index)\(name) is not positive: the network does not support it")
    }
    return warnings
  }

  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try makeFolder(url.deletingLastPathComponent())
    try writeFile(encoder.encode(self), to: url)
  }

  private static func named(_ losses: [AbsorptionCause: Double]) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: losses.map { ($0.rawValue, $1) })
  }

  /// What a person wants to know of the input that was added last; with ledgers, those of its explanations.
  ///
  /// - Parameter sheets: files that show all its maps.
  func summary(folder: String, ledgers: [Ledger], sheets: [String]) -> String {
    guard let input = inputs.last else { return "" }
    var lines = [input.input] + input.lines.map { "  " + $0 }
    for (index, entry) in input.explanations.enumerated() {
      lines.append(
        "  \(entry.target)\(entry.label.map { " (\($0))" } ?? "") by \(entry.method): \(folder)/\(entry.files).*")
      if !ledgers.isEmpty { lines += "\(ledgers[index])".split(separator: "\n").map { "    \($0)" } }
    }
    if let file = input.explanations.first?.files, !sheets.isEmpty {
      let place = "\(folder)/\(file.split(separator: "/").first ?? "")"
      lines.append("  all of them: " + sheets.map { "\(place)/\($0)" }.joined(separator: ", "))
    }
    return lines.map(\.printable).joined(separator: "\n")
  }
}
