import Execution
import Explanations
import Imaging
import Tensors

/// How much a class loses when the patches at the maxima of its map are replaced by the data set's mean. *Gu18* §5.2, Table 1.
public struct Ablation: ItemwiseEvaluation {
  /// What is replaced.
  public struct Options: Sendable {
    /// The side of a patch in pixels, odd.
    public var patchSide = 9
    /// How many patches, one after the other.
    public var patches = 1
    /// Which class is explained.
    public var target = TargetChoice.labelled

    /// The paper's.
    public init() {}
  }

  /// Which class of a picture is explained.
  public enum TargetChoice: String, Sendable, CaseIterable {
    /// The class that the picture is labelled with; each of several.
    case labelled
    /// The class that the network gives the highest logit.
    case predicted
  }

  private let subject: Subject
  private let images: [LabelledImage]
  private let mean: Tensor
  private let options: Options
  public let configuration: [String: [String]]

  /// Prepares to evaluate; patches are replaced by the same places of `mean`, which has the input's shape.
  ///
  /// - Throws: `EvaluationError.nothingToEvaluate` if labels are needed and no picture has any.
  public init(_ subject: Subject, on data: DataSet, mean: Tensor, options: Options = Options()) throws {
    images = options.target == .labelled ? data.images.filter { !$0.classes.isEmpty } : data.images
    guard !images.isEmpty else { throw EvaluationError.nothingToEvaluate(needs: "a class") }
    self.subject = subject
    self.mean = mean
    self.options = options
    var fingerprint = Fingerprint()
    fingerprint.add(mean)
    configuration = subject.configuration.merging(
      [
        "data": [data.name, data.fingerprint.hexadecimal], "mean": [fingerprint.hexadecimal],
        "patch": ["\(options.patchSide)"], "patches": ["\(options.patches)"], "target": [options.target.rawValue],
      ]) { $1 }
  }

  public var items: [String] { images.map(\.name) }

  /// What was found for a picture.
  public struct Record: EvaluationRecord {
    /// What a method's patches do.
    public struct Drop: Codable, Sendable {
      /// How much lower the logit is after one patch, two, …; negative where it rises.
      public let logit: [Float]
      /// The same of the softmax probability.
      public let probability: [Double]
    }

    /// An explained class.
    public struct Target: Codable, Sendable {
      /// Its index among the logits, from 0.
      public let classIndex: Int
      /// Its logit in the whole picture.
      public let logit: Float
      /// Its softmax probability in the whole picture, 0…1.
      public let probability: Double
      /// What each method's patches do, in the order of the subject's methods.
      public let drops: [Drop]
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
    let predictions = trace.predictions()
    let classes = options.target == .predicted ? [predictions[0].classIndex] : image.classes
    if let outside = classes.last, outside >= trace.classes {
      throw EvaluationError.noSuchClass(image.path, outside, classes: trace.classes)
    }
    let maps = try subject.maps(of: classes.map { .class($0) }, in: trace, item: item)
    let probabilities = Dictionary(uniqueKeysWithValues: predictions.map { ($0.classIndex, $0) })
    // The whole picture runs along, so that nothing but the patches makes a difference.
    var runs = AblatedRuns(tensor, mean: mean)
    let steps = maps.map { maps in
      maps.map { map -> [Int] in
        let patches = PatchSequence(map, count: options.patches, side: options.patchSide).patches
        return (1...options.patches).map { runs.index(of: Array(patches.prefix($0))) }
      }
    }
    let results = try runs.results(subject.explainer)
    let targets = classes.enumerated().map { number, classIndex in
      let drops = steps.map { steps in
        let after = steps[number].map { results[$0] }
        return Record.Drop(
          logit: after.map { results[0].logits[classIndex] - $0.logits[classIndex] },
          probability: after.map { results[0].probabilities[classIndex] - $0.probabilities[classIndex] })
      }
      return Record.Target(
        classIndex: classIndex, logit: probabilities[classIndex]!.logit,
        probability: probabilities[classIndex]!.probability ?? 1, drops: drops)
    }
    return Record(targets: targets)
  }
}

/// Runs of a picture with patches replaced, each distinct one once.
private struct AblatedRuns {
  typealias Result = (logits: [Float], probabilities: [Double])
  private let picture: Tensor
  private let mean: Tensor
  private var numbers: [[Patch]: Int] = [[]: 0]

  init(_ picture: Tensor, mean: Tensor) { (self.picture, self.mean) = (picture, mean) }

  /// The run in which some patches are replaced; 0 is that of the whole picture.
  mutating func index(of patches: [Patch]) -> Int {
    if let number = numbers[patches] { return number }
    numbers[patches] = numbers.count
    return numbers.count - 1
  }

  func results(_ explainer: Explainer) throws -> [Result] {
    let inputs = numbers.sorted { $0.value < $1.value }.map { patches, _ in
      patches.reduce(picture) { $0.replacing($1, by: .picture(mean)) }
    }
    return try explainer.scores(of: inputs).map { ($0.logits, $0.probabilities) }
  }
}

extension Ablation.Record {
  public static var evaluation: String { "ablation" }

  public func fits(_ header: JournalHeader) -> Bool {
    let patches = header.number("patches")
    return targets.allSatisfy { target in
      JournalHeader.isClass(target.classIndex) && target.drops.count == header.methods.count
        && target.drops.allSatisfy { $0.logit.count == patches && $0.probability.count == patches }
    }
  }

  public static func results(of journal: Journal<Self>, _ bootstrap: Bootstrap) -> EvaluationResults {
    let methods = journal.header.methods
    let patches = journal.header.number("patches") ?? 1
    let pairs = journal.records.flatMap { item, record in record.targets.map { (item: item, target: $0) } }
    func measured(_ value: (Target) -> Double) -> Bootstrap.Statistic {
      .mean(
        Measurements(
          items: pairs.map(\.item), classes: pairs.map(\.target.classIndex), values: pairs.map { value($0.target) }))
    }
    let reference = methods.firstIndex(of: "lrp")
    let tables = (0..<patches).map { step in
      var table = ResultTable(
        title: patches == 1 ? "Drops" : "Drops after \(step + 1) patch\(step == 0 ? "" : "es")",
        columns: ["method", "logit", "probability", "logit, less lrp", "probability, less lrp"])
      for (index, method) in methods.enumerated() {
        let logit = { (method: Int) in measured { Double($0.drops[method].logit[step]) } }
        let probability = { (method: Int) in measured { $0.drops[method].probability[step] } }
        let others = reference == nil || reference == index
        table.rows.append([
          .text(method), bootstrap.cell(logit(index)), bootstrap.cell(probability(index)),
          others ? .absent : bootstrap.cell(.difference(logit(index), logit(reference!))),
          others ? .absent : bootstrap.cell(.difference(probability(index), probability(reference!))),
        ])
      }
      return table
    }
    let logit = pairs.isEmpty ? 0 : pairs.reduce(0) { $0 + Double($1.target.logit) } / Double(pairs.count)
    let probability = pairs.isEmpty ? 0 : pairs.reduce(0) { $0 + $1.target.probability } / Double(pairs.count)
    return EvaluationResults(
      tables: tables,
      charts: ["logit", "probability"].map {
        EvaluationChart(
          "drop-of-\($0)", tables[0].bars(of: [$0], title: "Ablation at the maximum", label: "mean drop of the \($0)"))
      },
      notes: [
        "\(pairs.count) targets in \(journal.records.count) pictures; before the ablation their mean logit is "
          + "\(ResultTable.short(logit)) and their mean probability \(ResultTable.short(probability))."
      ])
  }
}
