import Explanations
import Imaging
import Tensors

/// Whether the most active units of a layer see different things, over many pictures. *Gu18* §5.3, Fig. 5.
public struct UnitsEvaluation: ItemwiseEvaluation {
  private let subject: Subject
  private let images: [LabelledImage]
  private let layer: String
  private let options: UnitStudy.Options
  public let configuration: [String: [String]]

  /// Prepares to evaluate the units of the node `layer`; the subject's methods play no part, since the study is of LRP and CLRP2.
  /// Patches are replaced by the same places of `mean`, which has the input's shape.
  ///
  /// - Throws: `EvaluationError.nothingToEvaluate` if there are no pictures, `GraphError.noSuchNode` for an unknown layer.
  public init(
    _ subject: Subject, on data: DataSet, layer: String, mean: Tensor, count: Int = 8, patchSide: Int = 9
  ) throws {
    guard !data.images.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: "pixels") }
    _ = try subject.explainer.network.graph.requiredNode(named: layer)
    images = data.images
    self.subject = subject
    self.layer = layer
    var options = UnitStudy.Options()
    (options.count, options.patchSide, options.replacement) = (count, patchSide, .picture(mean))
    self.options = options
    var fingerprint = Fingerprint()
    fingerprint.add(mean)
    configuration = subject.configuration.merging(
      [
        "data": [data.name, data.fingerprint.hexadecimal], "mean": [fingerprint.hexadecimal], "layer": [layer],
        "units": ["\(count)"], "patch": ["\(patchSide)"], "methods": ["lrp", "clrp2"],
      ]) { $1 }
  }

  public var items: [String] { images.map(\.name) }

  /// What was found for a picture.
  public struct Record: EvaluationRecord {
    /// How well the patches at the maxima of a method's maps tell units apart.
    public struct Merit: Codable, Sendable {
      /// Units with a patch.
      public let ablated: Int
      /// Patches by which no other unit loses more than their own: largest in its row, on the diagonal.
      public let ownLargest: Int
      /// Units that lose by no other's patch more: largest in its column.
      public let mostHurtByOwn: Int
      /// The mean drop by a unit's own patch, on the diagonal, as a part of its activation.
      public let meanOwnDrop: Double
      /// The mean drop by the patches of other units, off the diagonal, as a part of the activation.
      public let meanOtherDrop: Double
      /// The mean cosine of two units' maps.
      public let similarity: MapSimilarity
    }

    /// The channels of the units.
    public let channels: [Int]
    /// Of LRP and CLRP2.
    public let merits: [Merit]
    /// Groups of units with like CLRP2 maps.
    public let groups: Int
  }

  public func record(of item: Int) throws -> Record {
    let image = images[item]
    let trace = try subject.trace(subject.input(image).tensor, of: image.path)
    let study: UnitStudy
    do { study = try UnitStudy(trace, at: layer, options: options) } catch let error as UnitStudyError {
      throw EvaluationError.doesNotFit(image.path, reason: error.description)
    }
    func merit(_ ablation: PatchAblation, _ maps: [Tensor]) -> Record.Merit {
      Record.Merit(
        ablated: ablation.ablated,
        ownLargest: ablation.patches.indices.count { ablation.patches[$0] != nil && ablation.isOwnLargest($0) },
        mostHurtByOwn: ablation.patches.indices.count { ablation.isMostHurtByOwn($0) },
        meanOwnDrop: ablation.meanOwnDrop, meanOtherDrop: ablation.meanOtherDrop,
        similarity: MapSimilarity.mean(of: maps.map { SaliencyMap($0, by: .sum) })!)
    }
    return Record(
      channels: study.units.map(\.channel),
      merits: [merit(study.lrpAblation, study.relevance), merit(study.ablation, study.contrast)],
      groups: study.clusters.members.count)
  }
}

extension UnitsEvaluation.Record {
  public static var evaluation: String { "units" }

  public func fits(_ header: JournalHeader) -> Bool {
    merits.count == 2
  }

  public static func results(of journal: Journal<Self>, _ bootstrap: Bootstrap) -> EvaluationResults {
    let units = journal.header.configuration["units"]?.first.flatMap { Double($0) } ?? 8
    var table = ResultTable(
      title: "Units",
      columns: [
        "patches at the maxima of", "rows largest on the diagonal", "columns largest on the diagonal",
        "mean drop on the diagonal",
        "mean drop off it", "cosine of maps", "rank correlation of maps",
      ])
    for (index, method) in ["lrp", "clrp2"].enumerated() {
      func cell(_ value: (Merit) -> Double) -> ResultTable.Cell {
        var measured = Measurements()
        for (item, record) in journal.records { measured.append(value(record.merits[index]), item: item) }
        return bootstrap.cell(.mean(measured))
      }
      table.rows.append([
        .text(method), cell { Double($0.ownLargest) / units }, cell { Double($0.mostHurtByOwn) / units },
        cell { $0.meanOwnDrop }, cell { $0.meanOtherDrop }, cell { $0.similarity.cosine },
        cell { $0.similarity.rankCorrelation },
      ])
    }
    let groups = journal.records.reduce(0) { $0 + $1.record.groups }
    return EvaluationResults(
      tables: [table],
      notes: [
        "\(Int(units)) units in each of \(journal.records.count) pictures, in "
          + "\(ResultTable.short(Double(groups) / Double(max(journal.records.count, 1)))) groups on average; "
          + "by chance a row or column is largest on the diagonal in \(ResultTable.short(1 / units)) of cases."
      ])
  }
}
