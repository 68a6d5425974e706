import Explanations
import Imaging
import Tensors

/// How much alike the maps of one picture's classes are: *Gu18* §3, Fig. 1 and 3, in numbers.
public struct Similarity: ItemwiseEvaluation {
  /// Which classes of a picture are compared.
  public struct Options: Sendable {
    /// Those with the highest logits.
    public var best = 3
    /// Drawn from the first `pool`, the best ones aside.
    public var random = 10
    /// Of how many of the highest logits the random ones are drawn.
    public var pool = 100
    /// What is drawn: the same for the same seed and picture.
    public var seed: UInt64 = 0

    /// The paper's: the best 3, and 10 of the best 100.
    public init() {}
  }

  let subject: Subject
  let images: [LabelledImage]
  private let options: Options
  public let configuration: [String: [String]]

  /// Prepares to evaluate.
  ///
  /// - Throws: `EvaluationError.nothingToEvaluate` if there are no pictures.
  public init(_ subject: Subject, on data: DataSet, options: Options = Options()) throws {
    guard !data.images.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: "pixels") }
    images = data.images
    self.subject = subject
    self.options = options
    configuration = subject.configuration.merging(
      [
        "data": [data.name, data.fingerprint.hexadecimal], "best": ["\(options.best)"],
        "random": ["\(options.random)", "of", "\(options.pool)"], "seed": ["\(options.seed)"],
      ]) { $1 }
  }

  public var items: [String] { images.map(\.name) }

  /// What was found for a picture.
  public struct Record: EvaluationRecord {
    /// How alike the maps of some classes are.
    public struct Group: Codable, Sendable {
      /// The classes' indices among the logits.
      public let classes: [Int]
      /// Of each method, over the pairs of maps that are not zero everywhere; nil if there is no pair.
      public let similarities: [MapSimilarity?]
    }

    /// The classes with the highest logits.
    public let best: Group
    /// Classes drawn from those after the best.
    public let random: Group
    /// The classes that the picture is labelled with, if there are several.
    public let labelled: Group?
  }

  /// The best classes, random ones, and those that the picture is labelled with, if there are several.
  func classes(of item: Int, _ trace: Trace) -> [[Int]] {
    let ranking = trace.predictions().map(\.classIndex)
    var generator = SplitMix64(state: options.seed &+ UInt64(item) &* 0x9E37_79B9)
    var pool = Array(ranking.prefix(options.pool).dropFirst(options.best))
    let random = (0..<min(options.random, pool.count)).map { _ in
      pool.remove(at: generator.nextIndex(below: pool.count))
    }
    let labelled = images[item].classes.filter { $0 < trace.classes }
    return [Array(ranking.prefix(options.best)), random] + (labelled.count > 1 ? [labelled] : [])
  }

  public func record(of item: Int) throws -> Record {
    let image = images[item]
    let trace = try subject.trace(subject.input(image).tensor, of: image.path)
    let groups = classes(of: item, trace)
    let classes = Set(groups.joined()).sorted()
    // Method by method, so that no more maps are kept than need be.
    let similarities = try subject.methods.map { method in
      let maps = try subject.maps(of: classes.map { .class($0) }, by: method, in: trace, item: item)
      let found = Dictionary(uniqueKeysWithValues: zip(classes, maps))
      return groups.map { group in MapSimilarity.mean(of: group.map { found[$0]! }.filter { $0.maximum != nil }) }
    }
    let results = groups.enumerated().map { index, group in
      Record.Group(classes: group, similarities: similarities.map { $0[index] })
    }
    return Record(best: results[0], random: results[1], labelled: results.count > 2 ? results[2] : nil)
  }
}

extension Similarity.Record {
  public static var evaluation: String { "similarity" }

  public func fits(_ header: JournalHeader) -> Bool {
    [best, random, labelled].allSatisfy { $0 == nil || $0!.similarities.count == header.methods.count }
  }

  public static func results(of journal: Journal<Self>, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let groups: [(name: String, of: (Self) -> Group?)] = [
      ("best classes", { $0.best }), ("random classes", { $0.random }), ("labelled classes", { $0.labelled }),
    ]
    let used = groups.filter { group in journal.records.contains { group.of($0.record) != nil } }
    var table = ResultTable(
      title: "Similarity of the maps of one picture's classes",
      columns: ["method"] + used.flatMap { ["\($0.name): cosine", "\($0.name): rank correlation"] })
    for (index, method) in methods.enumerated() {
      func cell(_ group: (Self) -> Group?, _ value: (MapSimilarity) -> Double) -> ResultTable.Cell {
        var measured = Measurements()
        for (item, record) in journal.records {
          if let found = group(record)?.similarities[index] { measured.append(value(found), item: item) }
        }
        return bootstrap.cell(.mean(measured))
      }
      table.rows.append(
        [.text(method)] + used.flatMap { [cell($0.of) { $0.cosine }, cell($0.of) { $0.rankCorrelation }] })
    }
    let cosines = table.bars(
      of: used.map { "\($0.name): cosine" }, title: "How much alike the maps of one picture's classes are",
      label: "mean cosine")
    return EvaluationResults(
      tables: [table], charts: [EvaluationChart("cosines", cosines)],
      notes: [
        "\(journal.records.count) pictures. Maps of zeros, which classes without support have, are like nothing and left out."
      ])
  }
}
