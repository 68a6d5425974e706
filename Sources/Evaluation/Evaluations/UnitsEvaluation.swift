import RelevanceExplanations
import RelevancePropagation
import RelevanceTensors

/// Whether the most active units of a layer see different things, over many pictures. *Gu18* §5.3, Fig. 5.
public struct UnitsEvaluation: NamedEvaluation {
  /// What patches are replaced by.
  public var replacement = ReplacementChoice.data
  /// The node whose units are studied.
  public var layer = ""
  /// How many units.
  public var count = 8
  /// The side of the patches in pixels, odd.
  public var patchSide = 9

  /// The paper's, of no layer.
  public init() {}

  /// What was found for a picture.
  package struct Record: Codable, Sendable {
    /// How well the patches at the maxima of a method's maps tell units apart.
    package struct Merit: Codable, Sendable {
      /// Units with a patch.
      package let ablated: Int
      /// Patches by which no other unit loses more than their own: largest in its row, on the diagonal.
      package let ownLargest: Int
      /// Units that lose by no other's patch more: largest in its column.
      package let mostHurtByOwn: Int
      /// The mean drop by a unit's own patch, on the diagonal, as a part of its activation.
      package let meanOwnDrop: Double
      /// The mean drop by the patches of other units, off the diagonal, as a part of the activation.
      package let meanOtherDrop: Double
      package let similarity: MapSimilarity
    }

    package let channels: [Int]
    /// Of LRP and CLRP2.
    package let merits: [Merit]
    /// Groups of units with like CLRP2 maps.
    package let groups: Int
  }

  /// Prepares to study each picture; the subject's methods play no part, since the study is of LRP and CLRP2.
  ///
  /// - Throws: a `RelevanceKitError` if there are no pictures, no such layer, or nothing to replace patches by.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try data.images(with: "pixels")
    _ = try subject.explainer.network.graph.requiredNode(named: layer)
    let mean = try replacement.picture(subject, on: data)
    var options = UnitStudy.Options()
    (options.count, options.patchSide, options.replacement) = (count, patchSide, .picture(mean))
    let configuration = [
      "mean": mean.fingerprint, "layer": [layer], "units": ["\(count)"], "patch": ["\(patchSide)"],
      "methods": ["lrp", "clrp2"],
    ]
    return subject.prepared(Self.self, images, of: data, configuration) { [options] image, _ in
      let trace = try subject.run(image).trace
      let study: UnitStudy
      do { study = try UnitStudy(trace, at: layer, options: options) } catch let error as UnitStudyError {
        throw EvaluationError("\(image.path): \(error.description)")
      }
      func merit(_ ablation: PatchAblation, _ maps: [Tensor]) throws -> Record.Merit {
        Record.Merit(
          ablated: ablation.ablated,
          ownLargest: ablation.patches.indices.count { ablation.patches[$0] != nil && ablation.isOwnLargest($0) },
          mostHurtByOwn: ablation.patches.indices.count { ablation.isMostHurtByOwn($0) },
          meanOwnDrop: ablation.meanOwnDrop, meanOtherDrop: ablation.meanOtherDrop,
          similarity: MapSimilarity.mean(of: try maps.map { try SaliencyMap($0, by: .sum) })!)
      }
      return Record(
        channels: study.units.map(\.channel),
        merits: [try merit(study.lrpAblation, study.relevance), try merit(study.ablation, study.contrast)],
        groups: study.clusters.members.count)
    }
  }
}

extension UnitsEvaluation {
  public static let name = "units"
  package static let abstract = "Whether the most active units of a layer see different things, over many pictures."
  package static let discussion = """
    Each picture is studied as by relevance units, with patches replaced by the data set's mean.

    Example: relevance evaluate units vgg16.onnx val/ --layer fc1
    """
  public static let parameters: [Parameter<Self>] = [
    .replacement(\.replacement), .init("layer", \.layer, "The layer whose units are studied.", in: "node"),
    .init(
      "top", \.count, "How many units.", in: "n", expected: "at least 2 units, which can be compared"
    ) { $0 >= 2 },
    .patchSide(\.patchSide, "The side of the patches in pixels; odd."),
  ]
  package static let methods: [any AttributionMethod]? = [.lrp, .clrp2]

  package static var bounds: JournalBounds<Record> {
    JournalBounds()
      .setting("units", in: 1...1_000_000)
      .number("a channel", in: JournalLimits.count) { $0.channels.map(Double.init) }
      .number("a number of units", in: JournalLimits.count) {
        $0.merits.flatMap { [$0.ablated, $0.ownLargest, $0.mostHurtByOwn] }.map(Double.init) + [Double($0.groups)]
      }
      .number("a drop", in: JournalLimits.ratio) { $0.merits.flatMap { [$0.meanOwnDrop, $0.meanOtherDrop] } }
      .number("a correlation", in: JournalLimits.correlation) { $0.merits.flatMap(\.similarity.values) }
  }

  package static func fits(_ record: Record, _ header: JournalHeader) -> Bool { record.merits.count == 2 }

  package static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
    let units = Double(journal.header.number("units") ?? 8)
    let table = ResultTable(
      title: "Units",
      columns: [
        "patches at the maxima of", "rows largest on the diagonal", "columns largest on the diagonal",
        "mean drop on the diagonal", "mean drop off it", "cosine of maps", "rank correlation of maps",
      ], methods: ["lrp", "clrp2"]
    ) { index in
      func cell(_ value: (Record.Merit) -> Double) -> ResultTable.Cell {
        bootstrap.cell(.mean(Measurements(journal.parts { (record: Record) in [record.merits[index]] }, value)))
      }
      return [
        cell { Double($0.ownLargest) / units }, cell { Double($0.mostHurtByOwn) / units },
        cell { $0.meanOwnDrop }, cell { $0.meanOtherDrop }, cell { $0.similarity.cosine },
        cell { $0.similarity.rankCorrelation },
      ]
    }
    let groups = journal.records(Record.self).reduce(0) { $0 + $1.record.groups }
    return EvaluationResults(
      tables: [table],
      notes: [
        "\(Int(units)) units in each of \(journal.found) pictures, in "
          + "\(ResultTable.short(Double(groups) / Double(max(journal.found, 1)))) groups on average; "
          + "by chance a row or column is largest on the diagonal in \(ResultTable.short(1 / units)) of cases."
      ])
  }
}
