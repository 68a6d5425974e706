import RelevanceExplanations
import RelevancePropagation
import RelevanceTensors

/// Measures whether the most active units of a layer respond to different parts of an image, over many images. *Gu18*
/// §5.3, Fig. 5.
public struct UnitsEvaluation: NamedEvaluation {
  /// The values that replace patches.
  public var replacement = ReplacementChoice.data
  /// The node whose units are studied.
  public var layer = ""
  /// The number of units.
  public var count = 8
  /// The side length of the patches in pixels; an odd number.
  public var patchSide = 9

  /// Makes the evaluation with the settings of the paper and without a layer.
  public init() {}

  /// The results for an image.
  package struct Record: Codable, Sendable {
    /// How well the patches at the maxima of a method's maps distinguish units.
    package struct Merit: Codable, Sendable {
      /// The number of units with a patch.
      package let ablated: Int
      /// The number of patches that affect no other unit more than their own: the diagonal is the largest value of the
      /// row.
      package let ownLargest: Int
      /// The number of units that no other patch affects more than their own: the diagonal is the largest value of the
      /// column.
      package let mostHurtByOwn: Int
      /// The mean drop by a unit's own patch, on the diagonal, as a fraction of its activation.
      package let meanOwnDrop: Double
      /// The mean drop by the patches of other units, off the diagonal, as a fraction of the activation.
      package let meanOtherDrop: Double
      package let similarity: MapSimilarity
    }

    package let channels: [Int]
    /// The results for LRP and CLRP2.
    package let merits: [Merit]
    /// The number of groups of units with similar CLRP2 maps.
    package let groups: Int
  }

  /// Prepares an evaluation that studies each image. The subject's methods are ignored, because a study uses LRP and
  /// CLRP2.
  ///
  /// - Throws: `RelevanceKitError` if there are no images, if there is no such layer, or if the replacement is not
  ///   available.
  public func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation {
    let images = try data.images(with: "pixels")
    _ = try subject.explainer.network.graph.requiredNode(named: layer)
    let mean = try replacement.image(subject, on: data)
    var options = UnitStudy.Options()
    (options.count, options.patchSide, options.replacement) = (count, patchSide, .image(mean))
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
  package static let abstract =
    "Measures whether the most active units of a layer respond to different parts of images."
  package static let discussion = """
    Each image is studied as by relevance units. The mean of the data set replaces patches.

    Example: relevance evaluate units vgg16.onnx val/ --layer fc1
    """
  public static let parameters: [Parameter<Self>] = [
    .replacement(\.replacement), .init("layer", \.layer, "The layer whose units are studied.", in: "node"),
    .init(
      "top", \.count, "The number of units.", in: "n", expected: "at least 2 units"
    ) { $0 >= 2 },
    .patchSide(\.patchSide, "The side length of the patches in pixels; an odd number."),
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
        "\(Int(units)) units in each of \(journal.found) images, in "
          + "\(ResultTable.short(Double(groups) / Double(max(journal.found, 1)))) groups on average; "
          + "by chance, the diagonal has the largest value of a row or column in \(ResultTable.short(1 / units)) of "
          + "cases."
      ])
  }
}
