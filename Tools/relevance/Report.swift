import Foundation
import RelevanceKit
import RelevanceToolSupport

/// What `report.json` says of a run.
struct Report: JSONReport {
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
    /// What box:K stands for.
    let box: BoxEntry?
    /// What relevance had to pass; left out if it went everywhere.
    let through: [Condition]?
    /// Whether branches beside that were left out.
    let isExclusive: Bool?
    /// The channels of layers that were asked for, with their relevance.
    let layers: [LayerEntry]?
    /// What is worth knowing of how it was explained, a sentence each; left out if nothing is.
    let remarks: [String]?
    /// What class token, position embedding and the like took of the score; left out for networks without them.
    let constants: [ConstantEntry]?
    /// Sums of the map: all of it before negative parts are dropped, and what is shown.
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
    /// Nil where the network gives none.
    let probability: Double?
    let objectness: Double?
    let confidence: Double
    /// Four numbers as the network gives them; nil where it gives none.
    let coordinates: [Float]?
  }

  /// A constant that meets tokens, and what it took.
  struct ConstantEntry: Encodable {
    let kind: String
    let node: String
    let amount: Double
    /// Of the score; nil where that is 0.
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
    /// What people read of the predictions.
    let lines: [String]

    private enum CodingKeys: CodingKey {
      case input, shape, predictions, candidates, regions, explanations
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

  /// Says what is doubtful.
  func note() {
    let notes = BoxNotes()
    for warning in warnings {
      if boxNotes.contains(warning) { notes.say(warning) } else { Console.note(warning) }
    }
    notes.end()
  }

  /// What is explained unless something else is asked for, and how that is chosen, where classes have scores at several positions; nil
  /// where there is no choice.
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
      return "\(first)\(name(index)) is explained, \(likely) at \(layout.positionCount) positions"
        + (layout.hasObjectness ? ", by objectness × class; of both the class's score is explained" : "")
        + (background.map { "; class \($0)\(name($0)) is the presumed background" } ?? "")
        + "; --target class:N@POSITION explains another"
    }
    guard let regions = trace.regions.first, regions.count > 1 else { return nil }
    if let background, let region = regions.first(where: { $0.classIndex == background }) {
      return String(
        format: "%@%@ is explained; class %d%@, which has the largest score at %.4g %% of the positions, is taken for "
          + "the background; --target region:%d%@",
        first.description, name(index), background, name(background), region.share * 100, background, " explains it")
    }
    return String(
      format: "%@%@ is explained, which has the largest score at %.4g %% of the positions; --target region:%d%@",
      first.description, name(index), regions[0].share * 100, regions[1].classIndex, " explains the next")
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
    for case .cosine(let reference) in Set(explanations.filter(\.isUnsupported).map(\.target)) {
      warnings.append(
        "\(input): the cosine to \(reference.name) is not positive: what is alike is outweighed by what is opposite")
    }
    // A quantity may well be negative.
    let votes = layout.decision == .quantity ? [] : explanations.filter(\.isUnsupported)
    for index in Set(votes.compactMap(\.classIndex)).sorted() {
      let name = labels?[index].map { " (\($0))" } ?? ""
      warnings.append("\(input): the logit of class \(index)\(name) is not positive: the network does not support it")
    }
    return warnings
  }

  private static func named(_ losses: [AbsorptionCause: Double]) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: losses.map { ($0.rawValue, $1) })
  }

  /// What a person wants to know of the input that was added last; with ledgers, those of its explanations.
  ///
  /// - Parameter sheets: files that show all its maps.
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
      lines.append("  all of them: " + sheets.map { "\(place)/\($0)" }.joined(separator: ", "))
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
  /// All that is worth knowing of how it was explained, a sentence each.
  var allRemarks: [String] { remarks + [constantsRemark].compactMap { $0 } }
}
