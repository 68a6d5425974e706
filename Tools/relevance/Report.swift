import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The content of `report.json`.
struct Report: JSONReport {
  struct NodeSums: Encodable {
    let node: String
    let rule: String
    let relevanceIn: Double
    let relevanceOut: Double
    let absorbed: Double
    /// Absorbed relevance by cause; only causes that absorbed some.
    let losses: [String: Double]
    let magnitudeIn: Double
    let magnitudeOut: Double
  }

  struct ExplanationEntry: Encodable {
    let target: String
    let label: String?
    let method: String
    let score: Float
    /// The box that box:K selects.
    let box: BoxEntry?
    /// The channels that relevance had to pass; nil without conditions.
    let through: [Condition]?
    /// Whether relevance on other branches was dropped.
    let isExclusive: Bool?
    /// The relevance of the channels of the requested layers.
    let layers: [LayerEntry]?
    /// Remarks on the explanation, a sentence each; nil without remarks.
    let remarks: [String]?
    /// The parts of the score that constants such as a class token or a position embedding take; nil for networks
    /// without them.
    let constants: [ConstantEntry]?
    /// Sums of the map, before and after negative parts are dropped.
    let signedSum: Double
    let sum: Double
    let absorbed: Double
    let losses: [String: Double]
    let ledger: [NodeSums]
    let files: String
  }

  /// The channels of a layer, the most relevant first.
  struct LayerEntry: Encodable {
    let node: String
    let files: String
    let channels: [ChannelRelevance]
  }

  /// A detector's box.
  struct BoxEntry: Encodable {
    let classIndex: Int
    let label: String?
    let position: [Int]
    /// Nil for networks without probabilities.
    let probability: Double?
    let objectness: Double?
    let confidence: Double
    /// The four coordinates in the network's output; nil if it has none.
    let coordinates: [Float]?
  }

  /// A constant that is joined with tokens, and the relevance that it takes.
  struct ConstantEntry: Encodable {
    let kind: String
    let node: String
    let amount: Double
    /// The share of the score; nil if the score is 0.
    let share: Double?
  }

  struct InputEntry: Encodable {
    let input: String
    let shape: [Int]
    let predictions: [PredictedScores.ClassScore]
    /// Where classes have scores at several positions, those that have the largest score at the most.
    let regions: [PredictedScores.RegionScore]?
    /// Where positions are candidates, as a detector's, the classes with the best ones.
    let candidates: [PredictedScores.CandidateScore]?
    let explanations: [ExplanationEntry]
    /// The printed lines of the prediction.
    let lines: [String]

    private enum CodingKeys: CodingKey {
      case input, shape, predictions, candidates, regions, explanations
    }
  }

  let model: String
  /// The name of the explained output.
  let output: String
  let table: String
  private(set) var inputs: [InputEntry] = []
  private(set) var warnings: [String] = []
  /// The part of `warnings` on inputs outside the box of rule z^B.
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

  /// Adds an input.
  ///
  /// - Parameters:
  ///   - warnings: warnings on its explanations.
  ///   - notes: notes on values outside the box of rule z^B.
  /// - Throws: `RelevanceKitError` if the trace has no scores.
  mutating func add(
    _ file: InputFile, trace: Trace, explanations: [Explanation], layers: [[LayerRelevance]] = [], labels: Labels?,
    warnings: [String],
    notes: [String] = []
  ) throws {
    let entries = explanations.enumerated().map { number, explanation in
      let own = number < layers.count ? layers[number] : []
      let isFree = explanation.conditions.isEmpty
      let box = explanation.boxes.first.map {
        BoxEntry(
          classIndex: $0.classIndex, label: labels?[$0.classIndex],
          position: trace.layout.coordinates(ofPosition: $0.place), probability: $0.probability,
          objectness: $0.objectness, confidence: $0.confidence, coordinates: $0.box)
      }
      return ExplanationEntry(
        target: explanation.target.description, label: explanation.classIndex.flatMap { labels?[$0] },
        method: explanation.method.description, score: explanation.score, box: box,
        through: isFree ? nil : explanation.conditions, isExclusive: isFree ? nil : explanation.isExclusive,
        layers: own.isEmpty
          ? nil
          : own.map {
            LayerEntry(
              node: $0.node, files: "\(file.stem)/\(explanation.fileName).\($0.fileName)", channels: $0.channels)
          },
        remarks: explanation.allRemarks.isEmpty ? nil : explanation.allRemarks,
        constants: ConstantEntry.entries(of: explanation),
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
      try trace.scores(ofItem: 0), objectness: trace.objectness(ofItem: 0), layout: trace.layout, labels: labels,
      top: Self.shownClasses)
    inputs.append(
      InputEntry(
        input: file.name, shape: trace.input.shape.dimensions, predictions: scores.predictions,
        regions: scores.regions, candidates: scores.candidates, explanations: entries, lines: scores.lines))
  }

  private static let shownClasses = 5

  /// Prints the warnings.
  func note() {
    let notes = BoxNotes()
    for warning in warnings {
      if boxNotes.contains(warning) { notes.say(warning) } else { Console.note(warning) }
    }
    notes.end()
  }

  /// The default target and the reason for it, if classes have scores at several positions; nil otherwise.
  static func choice(of trace: Trace, labels: Labels?) -> String? {
    let layout = trace.layout
    guard layout.hasPositions, let first = Target.ranked(in: trace).first, let index = first.classIndex else {
      return nil
    }
    func name(_ index: Int) -> String { labels?[index].map { " (\($0))" } ?? "" }
    let background = Candidate.background(in: trace.scores(of: 0), layout: layout)
    if case .class = first {
      let confidence = trace.candidates[0].first?.confidence ?? 0
      let likely =
        layout.decision == .quantity
        ? String(format: "the highest value (%.4g)", confidence)
        : String(format: "the most likely object (%.3g %%)", confidence * 100)
      return "explaining \(first)\(name(index)), \(likely) at \(layout.positionCount) positions"
        + (layout.hasObjectness ? ", ranked by objectness × class; the class score alone is explained" : "")
        + (background.map { "; class \($0)\(name($0)) is the presumed background" } ?? "")
        + "; select another with --target class:N@POSITION"
    }
    guard let regions = trace.regions.first, regions.count > 1 else { return nil }
    if let background, let region = regions.first(where: { $0.classIndex == background }) {
      return String(
        format: "explaining %@%@; class %d%@, which has the largest score at %.4g %% of the positions, is the presumed "
          + "background; explain it with --target region:%d",
        first.description, name(index), background, name(background), region.share * 100, background)
    }
    return String(
      format: "explaining %@%@, which has the largest score at %.4g %% of the positions; explain the next with "
        + "--target region:%d",
      first.description, name(index), regions[0].share * 100, regions[1].classIndex)
  }

  /// Warnings on explanations, a sentence each.
  static func warnings(
    of explanations: [Explanation], input: String, labels: Labels?, layout: ScoreLayout
  ) -> [String] {
    var warnings: [String] = []
    for case .unit(let node, let channel, _) in Set(explanations.filter(\.isUnsupported).map(\.target)) {
      warnings.append("\(input): channel \(channel) of node \(node) is not active; there is nothing to explain")
    }
    for explanation in explanations
    where !explanation.isUnsupported && explanation.method.isRelevance && !explanation.method.isContrastive
      && explanation.warnings.isEmpty && explanation.signedRelevance.largestMagnitude() == 0
    {
      let lost = explanation.ledger.max { abs($0.absorbed) < abs($1.absorbed) }
      let cause = lost?.losses.max { abs($0.value) < abs($1.value) }?.key
      warnings.append(
        "\(input): no relevance of \(explanation.target) by \(explanation.method) reaches the input"
          + (lost.map { "; it is absorbed at \($0.node)\(cause.map { " (\($0.rawValue))" } ?? "")" } ?? ""))
    }
    if layout.decision == .quantity, let contrast = explanations.first(where: \.method.isContrastive)?.method,
      !(contrast is CLRP2)
    {
      warnings.append(
        "\(input): the output is a quantity without competing classes, so \(contrast) has nothing to contrast it with")
    }
    for case .cosine(let reference) in Set(explanations.filter(\.isUnsupported).map(\.target)) {
      warnings.append(
        "\(input): the cosine to \(reference.name) is not positive: the differences outweigh the similarities")
    }
    // A negative quantity is no cause for a warning.
    let votes = layout.decision == .quantity ? [] : explanations.filter(\.isUnsupported)
    for index in Set(votes.compactMap(\.classIndex)).sorted() {
      let name = labels?[index].map { " (\($0))" } ?? ""
      let empty = votes.filter { $0.classIndex == index && $0.relevance.largestMagnitude() == 0 }.map {
        $0.method.description
      }
      warnings.append(
        "\(input): the logit of class \(index)\(name) is not positive: its map shows no support for this class"
          + (empty.isEmpty ? "" : ", and the map by \(empty.joined(separator: ", ")) is empty")
          + "; explain a predicted class")
    }
    return warnings
  }

  private static func named(_ losses: [AbsorptionCause: Double]) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: losses.map { ($0.rawValue, $1) })
  }

  /// The printed summary of the last input.
  ///
  /// - Parameters:
  ///   - folder: the output folder.
  ///   - ledgers: the ledgers to print; empty without `--ledger`.
  ///   - layers: for each explanation, the relevance of the requested layers.
  ///   - sheets: files that show all maps of the input.
  func summary(folder: String, ledgers: [Ledger], layers: [[LayerRelevance]] = [], sheets: [String]) -> String {
    guard let input = inputs.last else { return "" }
    var lines = [input.input] + input.lines.map { "  " + $0 }
    for (index, entry) in input.explanations.enumerated() {
      lines.append(
        "  \(entry.target)\(entry.label.map { " (\($0))" } ?? "") by \(entry.method)"
          + (entry.through ?? []).map { " through \($0)" }.joined() + ": \(folder)/\(entry.files).*")
      lines += (entry.remarks ?? []).map { "    " + $0 }
      if index < layers.count { lines += layers[index].flatMap(\.lines).map { "    \($0)" } }
      if !ledgers.isEmpty { lines += "\(ledgers[index])".split(separator: "\n").map { "    \($0)" } }
    }
    if let file = input.explanations.first?.files, !sheets.isEmpty {
      let place = "\(folder)/\(file.split(separator: "/").first ?? "")"
      lines.append("  all maps: " + sheets.map { "\(place)/\($0)" }.joined(separator: ", "))
    }
    return lines.map(\.printable).joined(separator: "\n")
  }
}

extension Report.ConstantEntry {
  fileprivate static func entries(of explanation: Explanation) -> [Self]? {
    guard !explanation.tokenShares.isEmpty else { return nil }
    let total = Double(explanation.scores.reduce(0, +))
    return explanation.tokenShares.map {
      Self(kind: $0.kind.rawValue, node: $0.node, amount: $0.amount, share: total == 0 ? nil : $0.amount / total)
    }
  }
}

extension Explanation {
  /// All remarks on the explanation, a sentence each.
  var allRemarks: [String] { remarks + [constantsRemark].compactMap { $0 } }
}
