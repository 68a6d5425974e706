import RelevanceExplanations
import RelevancePropagation
import RelevanceSupport

/// Measures how similar the maps of an image's classes are: *Gu18* §3, Fig. 1 and 3, in numbers.
public struct Similarity: NamedEvaluation {
  /// The number of classes with the highest logits whose maps are compared.
  public var best = 3
  /// The number of random classes whose maps are compared; they are drawn from the first `pool` classes, except the
  /// best ones.
  public var random = 10
  /// The number of classes with the highest logits from which the random ones are drawn.
  public var pool = 100
  /// The number of images whose maps the command-line tool draws.
  package var figures = 0
  /// The seed of random choices, which also depend on the image.
  public var seed: UInt64 = 0

  /// The settings of the paper: the best 3 classes, and 10 of the best 100.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    package struct Group: Codable, Sendable {
      package let classes: [Int]
      /// For each method, the mean over pairs of maps that are not zero everywhere; nil if there is no pair.
      package let similarities: [MapSimilarity?]
    }

    package let best: Group
    /// Random classes from those after the best.
    package let random: Group
    /// The classes that the image is labeled with, if it has several labels.
    package let labeled: Group?

    fileprivate var groups: [Group] { [best, random, labeled].compactMap(\.self) }
  }

  /// Prepares an evaluation that explains each image for these classes.
  ///
  /// - Throws: `RelevanceKitError` if there are no images.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try data.images(with: "pixels")
    let configuration = [
      "best": ["\(best)"], "random": ["\(random)", "of", "\(pool)"], "seed": ["\(seed)"],
    ]
    var prepared = subject.prepared(Self.self, images, of: data, configuration) { image, item in
      let trace = try subject.run(image).trace
      let groups = classes(of: image, item, trace)
      let classes = Set(groups.joined()).sorted()
      // Maps are computed method by method, so that fewer of them are in memory.
      let similarities = try subject.methods.map { method in
        let maps = try subject.maps(of: classes.map { .class($0) }, by: method, in: trace, item: item)
        let found = Dictionary(uniqueKeysWithValues: zip(classes, maps))
        return groups.map { group in MapSimilarity.mean(of: group.map { found[$0]! }.filter { $0.maximum != nil }) }
      }
      let results = groups.enumerated().map { index, group in
        Record.Group(classes: group, similarities: similarities.map { $0[index] })
      }
      return Record(best: results[0], random: results[1], labeled: results.count > 2 ? results[2] : nil)
    }
    prepared.drawnItems = min(figures, images.count)
    prepared.figures = { item, names in
      let image = images[item]
      let groups = classes(of: image, item, try subject.run(image).trace)
      let figure = ClassFigure(subject, names: names)
      let stem = image.name.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? "\(item)"
      var figures = [
        (
          "\(stem)-classes",
          try figure.image(
            of: image, classes: groups[0] + groups[1],
            title: "The best \(groups[0].count) classes and \(groups[1].count) random ones")
        )
      ]
      if groups.count > 2 {
        figures.append(
          ("\(stem)-labeled", try figure.image(of: image, classes: groups[2], title: "The classes in the image")))
      }
      return figures
    }
    return prepared
  }

  /// The best classes, random classes, and the classes that the image is labeled with if it has several labels.
  private func classes(of image: LabeledImage, _ item: Int, _ trace: Trace) -> [[Int]] {
    let ranking = trace.predictions().map(\.classIndex)
    var generator = SplitMix64(state: seed &+ UInt64(item) &* 0x9E37_79B9)
    var pool = Array(ranking.prefix(pool).dropFirst(best))
    let random = (0..<min(random, pool.count)).map { _ in
      pool.remove(at: generator.nextIndex(below: pool.count))
    }
    let labeled = image.classes.filter { $0 < trace.classes }
    return [Array(ranking.prefix(best)), random] + (labeled.count > 1 ? [labeled] : [])
  }
}

extension Similarity {
  public static let name = "similarity"
  package static let abstract = "Measures how similar the maps of an image's classes are."
  package static let discussion = """
    The report lists the mean cosine and rank correlation of the maps of the best classes, and of random ones of the \
    first hundred.

    Example: relevance evaluate similarity squeezenet1.1 val/ --limit 200
    """
  public static let parameters: [Parameter<Self>] = [
    .init(
      "best", \.best, "The number of best classes.", in: "n", expected: "at least 2 classes"
    ) { $0 >= 2 },
    .init("random", \.random, "The number of random classes.", in: "n"),
    .init("pool", \.pool, "The number of best classes from which the random ones are drawn.", in: "n"),
    .init("figures", \.figures, "Draw the maps of the first n images, in DIR/figures.", in: "n"),
  ]

  public var objection: (found: String, expected: String)? {
    random >= 0 && pool >= random ? nil : ("--random is \(random) and --pool is \(pool)", "a --random from 0 to --pool")
  }

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .number("a class", in: JournalLimits.count) { $0.groups.flatMap { $0.classes.map(Double.init) } }
      .number("a correlation", in: JournalLimits.correlation) {
        $0.groups.flatMap { $0.similarities.compactMap(\.self).flatMap(\.values) }
      }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool {
    record.groups.allSatisfy { $0.similarities.count == header.methods.count }
  }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let groups: [(name: String, of: (Record) -> Record.Group?)] = [
      ("best classes", { $0.best }), ("random classes", { $0.random }), ("labeled classes", { $0.labeled }),
    ]
    let records = journal.parts { (record: Record) in [record] }
    let used = groups.filter { group in records.contains { group.of($0.part) != nil } }
    let table = ResultTable(
      title: "Similarity of the maps of one image's classes",
      columns: ["method"] + used.flatMap { ["\($0.name): cosine", "\($0.name): rank correlation"] },
      methods: journal.header.methods
    ) { index in
      func cell(_ group: (Record) -> Record.Group?, _ value: (MapSimilarity) -> Double) -> ResultTable.Cell {
        bootstrap.cell(.mean(Measurements(records) { group($0)?.similarities[index].map(value) }))
      }
      return used.flatMap { [cell($0.of) { $0.cosine }, cell($0.of) { $0.rankCorrelation }] }
    }
    let cosines = table.bars(
      "cosines", of: used.map { "\($0.name): cosine" }, title: "Similarity of the maps of one image's classes",
      label: "mean cosine")
    return EvaluationResults(
      tables: [table], charts: [cosines],
      notes: [
        "\(journal.found) images. Maps of zeros, which classes without support have, have no similarity and are left "
          + "out."
      ])
  }
}
