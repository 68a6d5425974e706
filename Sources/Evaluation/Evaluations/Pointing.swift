import RelevanceExplanations
import RelevanceFigures
import RelevancePropagation

/// Measures whether maps point at the objects that they explain: the pointing game, its extension to energy thresholds,
/// and the share of energy in the boxes. *Gu18* §5.2, Fig. 4; J. Zhang et al., “Top-down neural attention by excitation
/// backprop”, ECCV 2016.
public struct Pointing: NamedEvaluation {
  /// The number of pixels of the input around a box that still count as inside.
  public var tolerance = 0.0

  /// Makes the evaluation without a tolerance around boxes.
  public init() {}

  /// The results for an image.
  public struct Record: Codable, Sendable {
    /// A class with a box in the image.
    public struct Target: Codable, Sendable {
      /// The number of the class among the logits, from 0.
      public let classIndex: Int
      /// The logit of the class.
      public let logit: Float
      /// The softmax probability of the class, 0…1.
      public let probability: Double
      /// Whether its boxes cover less than a quarter of the image and the image contains another class. *Zhang16* §4.1.
      public let isDifficult: Bool
      /// The pointing score of each method's map, in the order of the subject's methods.
      public let scores: [PointingScore]
      /// The share of each map's energy in boxes of other classes, outside of the boxes of this class, 0…1. Nil if
      /// there are no other classes, and in journals of earlier versions.
      public let otherShares: [Double]?
    }

    /// The explained classes, in ascending order.
    public let targets: [Target]
    /// The number of classes whose boxes are outside of the crop.
    public let croppedAway: Int
  }

  /// Prepares an evaluation that explains each image for each class with a box in it.
  ///
  /// - Throws: `RelevanceKitError` if no image has a box.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try data.images(with: "a box") { !$0.objects.isEmpty }
    return subject.prepared(Self.self, images, of: data, ["tolerance": ["\(tolerance)"]]) { image, item in
      let (tensor, placement, area) = try subject.input(image)
      let trace = try subject.trace(tensor, of: image.path)
      let candidates = try trace.checked(Set(image.objects.map(\.classIndex)).sorted(), of: image)
      let found = try candidates.compactMap { classIndex -> (classIndex: Int, region: Region, isDifficult: Bool)? in
        let placed = image.boxes(of: classIndex).compactMap { $0.placed(by: placement) }
        let region = try Region(placed, height: placement.height, width: placement.width, tolerance: tolerance)
        guard region.contains.contains(true) else { return nil }
        return (classIndex, region, image.isDifficult(classIndex, area: area))
      }
      let maps = try subject.maps(of: found.map { .class($0.classIndex) }, in: trace, item: item)
      let scores = trace.classScores
      let targets = try found.enumerated().map { number, target in
        let others = target.region.others(of: found.map(\.region))
        return Record.Target(
          classIndex: target.classIndex, logit: scores.logits[target.classIndex],
          probability: scores.probabilities[target.classIndex],
          isDifficult: target.isDifficult, scores: try maps.map { try PointingScore($0[number], in: target.region) },
          otherShares: try others.map { others in
            try maps.map { try PointingScore($0[number], in: others).energyShare }
          })
      }
      return Record(targets: targets, croppedAway: candidates.count - found.count)
    }
  }
}

extension Pointing {
  public static let name = "pointing"
  package static let abstract = "Measures whether maps point into the boxes of the classes that they explain."
  package static let discussion = """
    The report lists the results of the pointing game (is the maximum in a box?), of its extension to thresholds (are \
    all of the largest pixels that contain a given share of the energy in a box?), and the share of energy in the \
    boxes. Each image is explained for each class that has a box. A class is difficult if its boxes cover less than a \
    quarter of the image and the image contains another class.

    Example: relevance evaluate pointing squeezenet1.1 VOC2012 --classes classes.json
    """
  public static let parameters: [Parameter<Self>] = [
    .init(
      "tolerance", \.tolerance, "Pixels of the input around a box that still count as inside; 15 is common.",
      in: "pixels", expected: "0 or more pixels"
    ) { $0 >= 0 }
  ]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .number("a class", in: JournalLimits.count) { $0.targets.map { Double($0.classIndex) } }
      .number("a number of classes", in: JournalLimits.count) { [Double($0.croppedAway)] }
      .number("a logit", in: JournalLimits.logit) { $0.targets.map { Double($0.logit) } }
      .number("a probability", in: JournalLimits.share) { $0.targets.map(\.probability) }
      .number("a share", in: JournalLimits.share) {
        $0.targets.flatMap { $0.scores.flatMap { [$0.purity, $0.energyShare] } + ($0.otherShares ?? []) }
      }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    record.targets.allSatisfy {
      JournalHeader.isClass($0.classIndex) && $0.scores.count == header.methods.count
        && $0.otherShares?.count ?? header.methods.count == header.methods.count
    }
  }

  /// The shares of energy in Fig. 4 of the paper; 0 stands for the maximum alone.
  private static let thresholds = [0] + stride(from: 5, through: 100, by: 5).map { Double($0) / 100 }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let pairs = journal.parts(\Record.targets)
    func measured(
      _ method: Int, difficult: Bool = false, _ value: (PointingScore) -> Double
    ) -> Measurements {
      Measurements(pairs, classIndex: \.classIndex) {
        difficult && !$0.isDifficult ? nil : value($0.scores[method])
      }
    }
    func hit(_ score: PointingScore) -> Double { score.maximumHits ? 1 : 0 }
    let summary = ResultTable(
      title: "Pointing",
      columns: [
        "method", "maximum hits", "mean of classes", "difficult", "difficult, mean of classes", "energy share",
        "maximum hits, less lrp", "energy share, less lrp", "empty maps",
      ], methods: methods
    ) { index in
      func difference(_ value: @escaping (PointingScore) -> Double) -> ResultTable.Cell {
        bootstrap.cellLessLRP(methods, index) { .mean(measured($0, value)) }
      }
      return [
        bootstrap.cell(.mean(measured(index, hit))), bootstrap.cell(.classMean(measured(index, hit))),
        bootstrap.cell(.mean(measured(index, difficult: true, hit))),
        bootstrap.cell(.classMean(measured(index, difficult: true, hit))),
        bootstrap.cell(.mean(measured(index) { $0.energyShare })), difference(hit), difference { $0.energyShare },
        .count(pairs.count { $0.part.scores[index].isEmpty }),
      ]
    }
    let curve = ResultTable(
      title: "Hits by threshold", columns: ["energy"] + methods,
      rows: thresholds.map { threshold in
        [.text(threshold == 0 ? "maximum" : ResultTable.percent(threshold))]
          + methods.indices.map { method in bootstrap.cell(.mean(measured(method) { $0.hits(at: threshold) ? 1 : 0 })) }
      })
    let others = ResultTable(
      title: "Energy in boxes of other classes",
      columns: ["method", "in boxes of other classes", "less lrp", "outside of all boxes"], methods: methods
    ) { index in
      func other(_ method: Int) -> Bootstrap.Statistic {
        .mean(Measurements(pairs) { $0.otherShares?[method] })
      }
      let outside = Measurements(pairs) { target in
        target.otherShares.map { target.scores[index].isEmpty ? 0 : 1 - $0[index] - target.scores[index].energyShare }
      }
      return [
        bootstrap.cell(other(index)), bootstrap.cellLessLRP(methods, index, other), bootstrap.cell(.mean(outside)),
      ]
    }
    let hasOthers = pairs.contains { $0.part.otherShares != nil }
    let difficult = pairs.count { $0.part.isDifficult }
    let cropped = journal.records(Record.self).reduce(0) { $0 + $1.record.croppedAway }
    var notes = ["\(pairs.count) targets in \(journal.found) images, of which \(difficult) are difficult."]
    if cropped > 0 { notes.append("\(cropped) targets are outside of the crop and left out.") }
    let unsupported = pairs.count { $0.part.logit <= 0 }
    if unsupported > 0 {
      notes.append("\(unsupported) targets have a logit of 0 or less, so they have no support to point at.")
    }
    let share = ChartAxis("share of energy in the largest pixels", range: 0...1)
    let lines = curve.curves(
      "hits-by-threshold", at: thresholds, title: "Pointing accuracy", x: share,
      y: ChartAxis("share with all of these pixels in a box", range: 0...1))
    let bars = summary.bars(
      "energy-share", of: ["energy share"], title: "Energy in the boxes", label: "share of the energy")
    return EvaluationResults(
      tables: [summary] + (hasOthers ? [others] : []) + [curve], charts: [lines, bars], notes: notes)
  }
}
