import RelevanceExplanations
import RelevanceFigures
import RelevancePropagation

/// Measures how fast a class's probability falls as its most salient pixels are deleted, or rises as they are inserted.
/// (V. Petsiuk, A. Das, K. Saenko, “RISE”, BMVC 2018; W. Samek et al., IEEE TNNLS 28, 2017: pixel flipping.)
public struct PixelFlipping<Direction: FlippingDirection>: NamedEvaluation {
  /// The values that replace pixels.
  public var replacement = ReplacementChoice.data
  /// The class to explain.
  public var target = TargetChoice.labeled
  /// The number of steps in which all pixels are replaced.
  public var steps = 32

  /// Makes the evaluation with the data set's mean and 32 steps.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    package struct Target: Codable, Sendable {
      package let classIndex: Int
      /// The probability of the class after each step, from no pixels to all, for each method.
      package let probabilities: [[Double]]
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
      "mean": mean.fingerprint, "steps": ["\(steps)"], "direction": [Direction.name], "target": [target.rawValue],
    ]
    return subject.prepared(Self.self, images, of: data, configuration) { image, item in
      let (tensor, trace) = try subject.run(image)
      try mean.checkReplaces(tensor, of: image)
      let classes = try target.classes(of: image, in: trace)
      let maps = try subject.maps(of: classes.map { .class($0) }, in: trace, item: item)
      let (start, end) = Direction.inserts ? (mean, tensor) : (tensor, mean)
      return Record(
        targets: try classes.enumerated().map { number, classIndex in
          let probabilities = try maps.map { maps in
            let images = PixelReplacement(maps[number], steps: steps).images(from: start, to: end)
            return try subject.explainer.scores(of: images).map { $0.probabilities[classIndex] }
          }
          return Record.Target(classIndex: classIndex, probabilities: probabilities)
        })
    }
  }
}

/// The direction of pixel flipping.
public protocol FlippingDirection: Sendable {}

extension FlippingDirection {
  /// Whether pixels of the image are inserted into the replacement.
  fileprivate static var inserts: Bool { self == Insertion.self }
  fileprivate static var name: String { inserts ? "insertion" : "deletion" }
}

/// From the image to the replacement: a small area under the curve is good.
public enum Deletion: FlippingDirection {}

/// From the replacement to the image: a large area under the curve is good.
public enum Insertion: FlippingDirection {}

extension PixelFlipping {
  public static var name: String { "deletion-insertion" }
  package static var subcommand: String { Direction.name }
  package static var abstract: String {
    "Measures how fast a class's probability "
      + (Direction.inserts
        ? "rises as its most salient pixels are inserted." : "falls as its most salient pixels are replaced.")
  }
  package static var discussion: String {
    """
    The report lists the area under the curve; a \(Direction.inserts ? "larger" : "smaller") area is better.

    Example: relevance evaluate \(Direction.name) squeezenet1.1 val/ \(Direction.inserts ? "--method clrp1" : "--steps 50")
    """
  }
  public static var parameters: [Parameter<Self>] {
    [
      .replacement(\.replacement), .target(\.target),
      .init(
        "steps", \.steps, "The number of steps in which all pixels are replaced.", in: "n", expected: "1 to 10000",
        where: (1...10_000).contains),
    ]
  }

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("steps", in: 1...10_000)
      .word("direction", among: [Deletion.name, Insertion.name])
      .number("a class", in: JournalLimits.count) { $0.targets.map { Double($0.classIndex) } }
      .number("a probability", in: JournalLimits.share) { $0.targets.flatMap { $0.probabilities.joined() } }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    let steps = header.number("steps") ?? 0
    return record.targets.allSatisfy { target in
      JournalHeader.isClass(target.classIndex) && target.probabilities.count == header.methods.count
        && target.probabilities.allSatisfy { $0.count == steps + 1 }
    }
  }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let direction = journal.header.configuration["direction"]?.first ?? ""
    let steps = journal.header.number("steps") ?? 1
    let pairs = journal.parts(\Record.targets)
    func area(_ method: Int) -> Bootstrap.Statistic {
      .mean(Measurements(pairs) { PixelReplacement.area(under: $0.probabilities[method]) })
    }
    let areas = ResultTable(
      title: "Area under the curve of \(direction)", columns: ["method", "area", "area, less lrp"], methods: methods
    ) { [bootstrap.cell(area($0)), bootstrap.cellLessLRP(methods, $0, area)] }
    let curve = ResultTable(
      title: "Probability by share of pixels replaced", columns: ["pixels"] + methods,
      rows: (0...steps).map { step in
        [.text(ResultTable.percent(Double(step) / Double(steps)))]
          + methods.indices.map { method in
            bootstrap.cell(.mean(Measurements(pairs) { $0.probabilities[method][step] }))
          }
      })
    return EvaluationResults(
      tables: [areas, curve],
      charts: [
        curve.curves(
          direction, at: (0...steps).map { Double($0) / Double(steps) }, title: direction.capitalized,
          x: ChartAxis("share of pixels", range: 0...1), y: ChartAxis("mean probability", range: 0...1))
      ],
      notes: ["\(pairs.count) targets in \(journal.found) images."])
  }
}
