import Explanations
import Figures
import Imaging
import Tensors

/// How a class's probability falls as its most salient pixels are deleted, or rises as they are inserted. (V. Petsiuk, A. Das, K.
/// Saenko, “RISE”, BMVC 2018; W. Samek et al., IEEE TNNLS 28, 2017: pixel flipping.)
public struct PixelFlipping: ItemwiseEvaluation {
  /// Which way pixels go.
  public enum Direction: String, Sendable, CaseIterable {
    /// From the picture to what it is replaced by: a low area under the curve is good.
    case deletion
    /// The other way round: a high area is good.
    case insertion
  }

  private let subject: Subject
  private let images: [LabelledImage]
  private let direction: Direction
  private let mean: Tensor
  private let steps: Int
  private let target: Ablation.TargetChoice
  public let configuration: [String: [String]]

  /// Prepares to evaluate: in `steps` steps all pixels are replaced by those of `mean`, which has the input's shape: the data set's
  /// mean, or zeros.
  ///
  /// - Throws: `EvaluationError.nothingToEvaluate` if labels are needed and no picture has any.
  public init(
    _ subject: Subject, on data: DataSet, _ direction: Direction, mean: Tensor, steps: Int = 32,
    target: Ablation.TargetChoice = .labelled
  ) throws {
    images = target == .labelled ? data.images.filter { !$0.classes.isEmpty } : data.images
    guard !images.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: "a class") }
    (self.subject, self.direction, self.mean, self.steps, self.target) = (subject, direction, mean, steps, target)
    var fingerprint = Fingerprint()
    fingerprint.add(mean)
    configuration = subject.configuration.merging(
      [
        "data": [data.name, data.fingerprint.hexadecimal], "mean": [fingerprint.hexadecimal], "steps": ["\(steps)"],
        "direction": [direction.rawValue], "target": [target.rawValue],
      ]) { $1 }
  }

  public var items: [String] { images.map(\.name) }

  /// What was found for a picture.
  public struct Record: EvaluationRecord {
    /// An explained class.
    public struct Target: Codable, Sendable {
      /// Its index among the logits, from 0.
      public let classIndex: Int
      /// Its probability after each step, from none to all, of each method.
      public let probabilities: [[Double]]
    }

    /// The explained classes, in rising order.
    public let targets: [Target]
  }

  public func record(of item: Int) throws -> Record {
    let image = images[item]
    let tensor = try subject.input(image).tensor
    let trace = try subject.trace(tensor, of: image.path)
    guard mean.shape == tensor.shape else {
      throw EvaluationError.doesNotFit(
        image.path, reason: "the mean picture has shape \(mean.shape), this picture \(tensor.shape)")
    }
    let classes = target == .predicted ? [trace.predictions()[0].classIndex] : image.classes
    if let outside = classes.last, outside >= trace.classes {
      throw EvaluationError.noSuchClass(image.path, outside, classes: trace.classes)
    }
    let maps = try subject.maps(of: classes.map { .class($0) }, in: trace, item: item)
    let (start, end) = direction == .deletion ? (tensor, mean) : (mean, tensor)
    return Record(
      targets: try classes.enumerated().map { number, classIndex in
        let probabilities = try maps.map { maps in
          let pictures = PixelReplacement(maps[number], steps: steps).pictures(from: start, to: end)
          return try subject.explainer.scores(of: pictures).map { $0.probabilities[classIndex] }
        }
        return Record.Target(classIndex: classIndex, probabilities: probabilities)
      })
  }
}

extension PixelFlipping.Record {
  public static var evaluation: String { "deletion-insertion" }

  public func fits(_ header: JournalHeader) -> Bool {
    let steps = header.number("steps") ?? 0
    return targets.allSatisfy { target in
      JournalHeader.isClass(target.classIndex) && target.probabilities.count == header.methods.count
        && target.probabilities.allSatisfy { $0.count == steps + 1 }
    }
  }

  public static func results(of journal: Journal<Self>, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let direction = journal.header.configuration["direction"]?.first ?? ""
    let steps = journal.header.number("steps") ?? 1
    let pairs = journal.records.flatMap { item, record in record.targets.map { (item: item, target: $0) } }
    func measured(_ value: (Target) -> Double) -> Bootstrap.Statistic {
      .mean(
        Measurements(
          items: pairs.map(\.item), classes: pairs.map(\.target.classIndex), values: pairs.map { value($0.target) }))
    }
    func area(_ method: Int) -> Bootstrap.Statistic {
      measured { PixelReplacement.area(under: $0.probabilities[method]) }
    }
    let reference = methods.firstIndex(of: "lrp")
    var areas = ResultTable(
      title: "Area under the curve of \(direction)", columns: ["method", "area", "area, less lrp"])
    for (index, method) in methods.enumerated() {
      let others = reference == nil || reference == index
      areas.rows.append([
        .text(method), bootstrap.cell(area(index)),
        others ? .absent : bootstrap.cell(.difference(area(index), area(reference!))),
      ])
    }
    let curve = ResultTable(
      title: "Probability by share of pixels replaced", columns: ["pixels"] + methods,
      rows: (0...steps).map { step in
        [.text(ResultTable.percent(Double(step) / Double(steps)))]
          + methods.indices.map { method in bootstrap.cell(measured { $0.probabilities[method][step] }) }
      })
    return EvaluationResults(
      tables: [areas, curve],
      charts: [
        EvaluationChart(
          direction,
          curve.curves(
            at: (0...steps).map { Double($0) / Double(steps) }, title: direction.capitalized,
            x: ChartAxis("share of pixels", range: 0...1), y: ChartAxis("mean probability", range: 0...1)))
      ],
      notes: ["\(pairs.count) targets in \(journal.records.count) pictures."])
  }
}
