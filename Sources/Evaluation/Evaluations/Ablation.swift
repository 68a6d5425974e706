import RelevanceExplanations
import RelevancePropagation

/// How much a class loses when the patches at the maxima of its map are replaced by the data set's mean. *Gu18* §5.2,
/// Table 1.
public struct Ablation: NamedEvaluation {
  /// What patches are replaced by.
  public var replacement = ReplacementChoice.data
  /// Which class is explained.
  public var target = TargetChoice.labeled
  /// The side of a patch in pixels, odd.
  public var patchSide = 9
  /// How many patches, one after the other.
  public var patches = 1

  /// The paper's.
  public init() {}

  /// What was found for an image.
  package struct Record: Codable, Sendable {
    package struct Drop: Codable, Sendable {
      /// How much lower the logit is after one patch, two, …; negative where it rises.
      package let logit: [Float]
      /// The same of the softmax probability.
      package let probability: [Double]
    }

    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// Its logit in the whole image.
      package let logit: Float
      /// Its softmax probability in the whole image, 0…1.
      package let probability: Double
      /// What each method's patches do, in the order of the subject's methods.
      package let drops: [Drop]
    }

    package let targets: [Target]
  }

  /// Prepares to explain each image.
  ///
  /// - Throws: a `RelevanceKitError` if labels are needed and no image has any, or if there is nothing to replace
  ///   patches by.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try target.images(of: data)
    let mean = try replacement.image(subject, on: data)
    let configuration = [
      "mean": mean.fingerprint, "patch": ["\(patchSide)"], "patches": ["\(patches)"], "target": [target.rawValue],
    ]
    return subject.prepared(Self.self, images, of: data, configuration) { image, item in
      let (tensor, trace) = try subject.run(image)
      try mean.checkReplaces(tensor, of: image)
      let classes = try target.classes(of: image, in: trace)
      let maps = try subject.maps(of: classes.map { .class($0) }, in: trace, item: item)
      // The whole image runs along, so that nothing but the patches makes a difference.
      var runs: [[Patch]] = [[]]
      let steps = maps.map { maps in
        maps.map { map -> [Int] in
          let found = map.patches(patches, side: patchSide)
          return (1...patches).map { count in
            let replaced = Array(found.prefix(count))
            if let known = runs.firstIndex(of: replaced) { return known }
            runs.append(replaced)
            return runs.count - 1
          }
        }
      }
      let results = try subject.explainer.scores(
        of: runs.map { $0.reduce(tensor) { $0.replacing($1, by: .image(mean)) } })
      let scores = trace.classScores
      let targets = classes.enumerated().map { number, classIndex in
        let drops = steps.map { steps in
          let after = steps[number].map { results[$0] }
          return Record.Drop(
            logit: after.map { results[0].logits[classIndex] - $0.logits[classIndex] },
            probability: after.map { results[0].probabilities[classIndex] - $0.probabilities[classIndex] })
        }
        return Record.Target(
          classIndex: classIndex, logit: scores.logits[classIndex], probability: scores.probabilities[classIndex],
          drops: drops)
      }
      return Record(targets: targets)
    }
  }
}

extension Ablation {
  public static let name = "ablation"
  package static let abstract = "How much a class loses when the patches at the maxima of its map are replaced."
  package static let discussion = """
    Patches are replaced by the same places of the data set's mean image. Reported are the mean drops of the class's logit and of \
    its probability. --method random says what patches at random places do.

    Example: relevance evaluate ablation model.onnx photos.csv --patches 10 --method lrp
    """
  public static let parameters: [Parameter<Self>] = [
    .replacement(\.replacement), .target(\.target), .patchSide(\.patchSide, "The side of a patch in pixels; odd."),
    .init(
      "patches", \.patches, "How many patches, each at the maximum of what is left of the map.", in: "n",
      expected: "1 to 1000", where: (1...1000).contains),
  ]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("patches", in: 1...1000)
      .number("a class", in: JournalLimits.count) { $0.targets.map { Double($0.classIndex) } }
      .number("a logit", in: JournalLimits.logit) { $0.targets.map { Double($0.logit) } }
      .number("a probability", in: JournalLimits.share) { $0.targets.map(\.probability) }
      .number("a drop of the logit", in: JournalLimits.logit) {
        $0.targets.flatMap { $0.drops.flatMap { $0.logit.map(Double.init) } }
      }
      .number("a drop of the probability", in: JournalLimits.shareChange) {
        $0.targets.flatMap { $0.drops.flatMap(\.probability) }
      }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    let patches = header.number("patches")
    return record.targets.allSatisfy { target in
      JournalHeader.isClass(target.classIndex) && target.drops.count == header.methods.count
        && target.drops.allSatisfy { $0.logit.count == patches && $0.probability.count == patches }
    }
  }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let patches = journal.header.number("patches") ?? 1
    let pairs = journal.parts(\Record.targets)
    let tables = (0..<patches).map { step in
      ResultTable(
        title: patches == 1 ? "Drops" : "Drops after \(step + 1) patch\(step == 0 ? "" : "es")",
        columns: ["method", "logit", "probability", "logit, less lrp", "probability, less lrp"], methods: methods
      ) { index in
        func drop(_ value: @escaping (Record.Drop) -> Double) -> (Int) -> Bootstrap.Statistic {
          { method in .mean(Measurements(pairs) { value($0.drops[method]) }) }
        }
        let (logit, probability) = (drop { Double($0.logit[step]) }, drop { $0.probability[step] })
        return [
          bootstrap.cell(logit(index)), bootstrap.cell(probability(index)),
          bootstrap.cellLessLRP(methods, index, logit), bootstrap.cellLessLRP(methods, index, probability),
        ]
      }
    }
    func mean(_ value: (Record.Target) -> Double) -> String {
      ResultTable.short(pairs.isEmpty ? 0 : pairs.reduce(0) { $0 + value($1.part) } / Double(pairs.count))
    }
    return EvaluationResults(
      tables: tables,
      charts: ["logit", "probability"].map {
        tables[0].bars(
          "drop-of-\($0)", of: [$0], title: "Ablation at the maximum", label: "mean drop of the \($0)")
      },
      notes: [
        "\(pairs.count) targets in \(journal.found) images; before the ablation their mean logit is "
          + "\(mean { Double($0.logit) }) and their mean probability \(mean { $0.probability })."
      ])
  }
}
