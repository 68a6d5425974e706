import RelevanceExplanations
import RelevancePropagation

/// The drop of a class's score when the patches at the maxima of its map are replaced by the data set's mean. *Gu18*
/// §5.2, Table 1.
public struct Ablation: NamedEvaluation {
  /// The values that replace patches.
  public var replacement = ReplacementChoice.data
  /// The class to explain.
  public var target = TargetChoice.labeled
  /// The side length of a patch in pixels; an odd number.
  public var patchSide = 9
  /// The number of patches, replaced one after another.
  public var patches = 1

  /// The settings of the paper.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    package struct Drop: Codable, Sendable {
      /// The decrease of the logit after one patch, two patches, …; negative if the logit increases.
      package let logit: [Float]
      /// The decrease of the softmax probability after one patch, two patches, ….
      package let probability: [Double]
    }

    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// The logit of the class in the original image.
      package let logit: Float
      /// The softmax probability of the class in the original image, 0…1.
      package let probability: Double
      /// The drops by each method's patches, in the order of the subject's methods.
      package let drops: [Drop]
    }

    package let targets: [Target]
  }

  /// Prepares an evaluation that explains each image.
  ///
  /// - Throws: `RelevanceKitError` if labels are needed and no image has one, or if the replacement is not available.
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
      // The original image is part of the same batch, so that only the patches make a difference.
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
  package static let abstract =
    "Measures the drop of a class's score when the patches at the maxima of its map are replaced."
  package static let discussion = """
    Patches are replaced by the same region of the data set's mean image. The report lists the mean drops of the \
    class's logit and of its probability. Use --method random to compare with patches at random positions.

    Example: relevance evaluate ablation model.onnx photos.csv --patches 10 --method lrp
    """
  public static let parameters: [Parameter<Self>] = [
    .replacement(\.replacement), .target(\.target),
    .patchSide(\.patchSide, "The side length of a patch in pixels; an odd number."),
    .init(
      "patches", \.patches, "The number of patches, each at the maximum of the rest of the map.", in: "n",
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
