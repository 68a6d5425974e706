import Foundation
import RelevanceKit

func milliseconds(since start: ContinuousClock.Instant) -> Double {
  (ContinuousClock.now - start) / .milliseconds(1)
}

extension Explorer {
  /// The models, images, tables and methods of the service.
  public func overview() -> OverviewAnswer {
    let shown = models.entries.map { entry in
      let table = RuleTable.recommended(for: entry.model.network, pixelRange: nil).name
      let assumed =
        entry.model.preprocessingFile == nil
        ? [
          "no preprocessor_config.json beside the model; the preprocessing is inferred from its input, or ImageNet's"
        ] : []
      return OverviewAnswer.ModelAnswer(
        name: entry.name, path: entry.path, classes: entry.model.labels.map { ($0.names.keys.max() ?? -1) + 1 },
        hasLabels: entry.model.labels != nil, recommendedTable: table, notes: entry.model.notes + assumed,
        indexedNodes: indexes.nodes(of: entry))
    }
    let methods = MethodCatalog.standard.methods.map {
      OverviewAnswer.Method(
        name: $0.name, isContrastive: $0.isContrastive, isRelevance: $0.isRelevance, isSigned: $0.sign != .nonNegative)
    }
    let ramps = HeatmapColors.allCases.map { colors in
      let bytes = (-HeatmapColors.steps...HeatmapColors.steps).flatMap { step in
        let color = colors.color(at: Float(step) / Float(HeatmapColors.steps))
        return [color.red, color.green, color.blue]
      }
      return (colors.rawValue, Data(bytes).base64EncodedString())
    }
    return OverviewAnswer(
      version: RelevanceKitPackage.version, fit: options.fit.rawValue, models: shown, images: images.files(),
      tables: RuleTable.presetNames,
      methods: methods, ramps: Dictionary(uniqueKeysWithValues: ramps), steps: HeatmapColors.steps,
      causes: AbsorptionCause.allCases.map { [$0.rawValue, $0.title.lowercased()] },
      limits: ["imageBytes": options.bytesLimit, "imagePixels": options.pixelLimit, "keptBytes": options.memory])
  }

  /// The names of a model's classes by index; null for a class without a name.
  public func labels(ofModel name: String) throws -> [String?] {
    guard let labels = try models.entry(name).model.labels else { return [] }
    return (0...max(labels.names.keys.max() ?? 0, 0)).map { labels[$0] }
  }

  /// The classes with the largest scores.
  public func predict(_ question: Question) throws -> PredictAnswer {
    let start = ContinuousClock.now
    return try with(question) { run, entry in
      PredictAnswer(
        image: try imageID(of: question), width: run.image.width, height: run.image.height,
        scores: try Self.scores(of: run.trace, logits: run.trace.logits, entry, top: question.top ?? 10),
        scoreName: run.trace.layout.areProbabilities ? "probability" : "logit",
        milliseconds: milliseconds(since: start))
    }
  }

  /// The targets with the largest scores for the given logits, in descending order.
  static func scores(of trace: Trace, logits: Tensor, _ entry: Models.Entry, top: Int) throws -> [ScoreRow] {
    let (layout, labels) = (trace.layout, entry.model.labels)
    let scores = logits.reshaped(to: [logits.shape.dimensions.dropFirst().first ?? 1, layout.positionCount])
    func row(_ target: Target, _ score: Float, _ probability: Double?) -> ScoreRow {
      ScoreRow(target: target.description, title: target.title(labels), score: score, probability: probability)
    }
    guard layout.hasPositions else {
      return Prediction.ranking(scores, layout: layout).prefix(top).map {
        row(.class($0.classIndex), $0.logit, $0.probability)
      }
    }
    if layout.isOfCandidates {
      return Candidate.all(in: scores, objectness: nil, layout: layout).prefix(top).map {
        row(.class($0.classIndex, at: layout.coordinates(ofPosition: $0.place)), $0.score, $0.probability)
      }
    }
    return ClassRegion.all(in: scores, layout: layout).prefix(top).map {
      row(.region($0.classIndex), Float($0.meanLogit), $0.meanProbability)
    }
  }

  /// The explanation that a request describes.
  func explanation(_ question: Question, _ run: Run, _ entry: Models.Entry) throws -> Explanation {
    let target = try question.explained(labels: entry.model.labels)
    let method = try question.explainedBy()
    let conditions = try question.conditions()
    return conditions.isEmpty
      ? try run.trace.explain(target, by: method, ledger: question.ledger)
      : try run.trace.explain(
        target, by: method, through: conditions, exclusive: question.exclusive, ledger: question.ledger)
  }

  /// The map of the pixels that support a target, with its ledger.
  public func explain(_ question: Question) throws -> ExplainAnswer {
    let start = ContinuousClock.now
    return try with(question) { run, entry in
      let explanation = try explanation(question, run, entry)
      return ExplainAnswer(
        image: try imageID(of: question), target: explanation.target.description,
        title: explanation.target.title(entry.model.labels), method: explanation.method.description,
        score: explanation.score, unit: explanation.quantity, colors: explanation.method.heatmapColors.rawValue,
        map: try MapAnswer(Self.map(of: explanation, entry)), ledger: LedgerRow.rows(of: explanation.ledger),
        warnings: explanation.warnings, remarks: explanation.remarks, milliseconds: milliseconds(since: start))
    }
  }

  /// The relevance of each element of the network's input, as the bytes of the file that `relevance explain` writes.
  public func explainAsNumPy(_ question: Question) throws -> Data {
    try with(question) { run, entry in
      let relevance = try explanation(question, run, entry).relevance
      return NumPyFile.encode(relevance.reshaped(to: TensorShape(relevance.shape.dimensions.dropFirst().map { $0 })))
    }
  }

  /// The heatmap over the image, or alone, as a PNG file.
  public func explainAsPNG(_ question: Question) throws -> Data {
    try with(question) { run, entry in
      let explanation = try explanation(question, run, entry)
      let heatmap = try Heatmap(Self.map(of: explanation, entry), colors: explanation.method.heatmapColors)
      return try (question.overlay ? heatmap.overlay(on: run.image) : heatmap.image()).pngData()
    }
  }

  /// The relevance by position, summed over channels.
  static func map(of explanation: Explanation, _ entry: Models.Entry) throws -> Tensor {
    let relevance = explanation.relevance
    return try Heatmap(entry.hasChannelsLast ? relevance.transposed([0, 3, 1, 2]) : relevance).values
  }

  /// The rule of every node under a table, with the reason. Needs no image. If the table does not fit the network,
  /// `objection` has the reason.
  public func plan(_ question: Question) throws -> PlanAnswer {
    let entry = try models.entry(question.model)
    let plan = try models.explainer(for: question).plan
    let graph = plan.network.graph
    let shapes = try? graph.shapes(forInput: entry.model.exampleInputShape)
    let constants: Set<String> = ["Constant"]
    let rows = graph.ids.reversed().filter { !constants.contains(graph[$0].kind.name) }.map { id in
      PlanAnswer.Row(
        node: graph[id].name, kind: graph[id].kind.name, shape: shapes?[id.index].dimensions,
        rule: plan[id].map { "\($0.rule)" }, row: plan[id]?.row, reason: plan.reason(for: id))
    }
    return PlanAnswer(
      name: plan.table.name, yaml: try? plan.table.yaml(), objection: plan.objection?.description,
      warnings: plan.warnings, rows: rows)
  }
}

extension Target {
  /// The title of a target, such as `zebra (class 340)` or `channel 13 of conv5 at 6, 7`.
  func title(_ labels: Labels?) -> String {
    func place(_ position: [Int]?) -> String {
      position.map { " at \($0.map(String.init).joined(separator: ", "))" } ?? ""
    }
    func name(_ index: Int) -> String { labels?[index].map { "\($0) (class \(index))" } ?? "class \(index)" }
    return switch self {
    case .class(let index, let position): name(index) + place(position)
    case .region(let index): "region of " + name(index)
    case .box(let rank): "box \(rank)"
    case .unit(let node, let channel, let position): "channel \(channel) of \(node)" + place(position)
    case .top, .cosine: description
    }
  }
}
