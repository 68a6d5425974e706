import ArgumentParser
import Foundation
import RelevanceKit
import ToolSupport

/// What all evaluations share: the network, the pictures, and what becomes of the results.
struct EvaluationOptions: ParsableArguments {
  @OptionGroup var model: ModelOptions
  @OptionGroup var data: DataSetArguments
  @OptionGroup var rules: RuleOptions
  @OptionGroup var fitting: FitOptions
  @OptionGroup var output: EvaluationOutput

  @Option(help: ArgumentHelp("What is drawn at random: the same for the same seed.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Continue the journal that is in the output folder.")
  var resume = false

  @Option(
    help: ArgumentHelp("Do only part i of n of the items, into journal-i-of-n.jsonl.", valueName: "i/n"),
    transform: {
      guard let shard = Shard($0) else { throw ValidationError("--shard is \($0); expected i/n with 1 ≤ i ≤ n") }
      return shard
    })
  var shard = Shard.whole

  @Flag(help: "End with status 65 if an item could not be evaluated, although the rest was.")
  var strict = false

  /// What is evaluated on what.
  struct Setting {
    let subject: Subject
    let data: DataSet
    let labels: Labels?
  }

  func setting(methods: [any Method]) throws -> Setting {
    let model = try model.load()
    let explainer = try Explainer(
      rules.network(of: model), rules: rules.table(for: model), threads: self.model.threads)
    model.notes.forEach { Console.note($0) }
    if model.preprocessingFile == nil {
      Console.note("no preprocessor_config.json beside the model; using ImageNet's usual preprocessing")
    }
    let data = try data.load(for: model, seed: seed)
    data.notes.forEach { Console.note($0) }
    // Data sets are large, and all of their pictures are prepared alike.
    let first = BoxNotes(limit: 1)
    let note: (@Sendable (String) -> Void)? =
      methods.contains(where: \.isRelevance)
      ? { @Sendable in first.say($0) } : nil
    // Random maps are drawn anew for each seed.
    let methods = methods.map { method in
      (method as? RandomMap)?.seed == 0 ? RandomMap(seed: seed) : method
    }
    return Setting(
      subject: Subject(
        explainer, preprocessing: fitting.preprocessing(of: model), methods: methods, note: note), data: data,
      labels: model.labels)
  }

  /// A file in the output folder in which something is kept that several runs need.
  func cached(_ name: String) throws -> URL { try output.folder().appendingPathComponent(name) }

  /// Runs an evaluation and writes its results.
  func run<E: ItemwiseEvaluation>(_ evaluation: E) throws {
    let name = shard == .whole ? "journal.jsonl" : "journal-\(shard.index)-of-\(shard.count).jsonl"
    let path = try output.folder().appendingPathComponent(name).path
    let progress = ProgressLine(E.Record.evaluation)
    let journal = try evaluation.run(journal: path, shard: shard, resumes: resume) {
      if let failure = $0.failure { Console.note("\(failure.name) is left out: \(failure.error)") }
      progress.update($0)
    }
    progress.end()
    if shard == .whole {
      try output.write(journal)
    } else {
      Console.summary(
        "\(path): \(journal.entries.count) items; relevance evaluate merge joins all \(shard.count) shards")
    }
    let failures = journal.failures.count
    if failures == journal.entries.count, failures > 0 { throw EvaluateError.nothingDone(failures) }
    if failures > 0, strict { throw ExitCode(65) }
  }
}

/// Where pictures with labels are.
struct DataSetArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("The labelled pictures.", valueName: "data"))
  var path: String

  @Option(
    help:
      "What DATA is: \(DataSetFormat.allCases.map(\.rawValue).joined(separator: ", ")). (default: what it looks like)")
  var format: DataSetFormat?

  @Option(
    help: ArgumentHelp(
      "How the data's class names become the network's classes: a JSON object or list, or a line per class. (default: the model's labels)",
      valueName: "file"))
  var classes: String?

  @Option(help: ArgumentHelp("ImageNet: the class of each picture.", valueName: "file"))
  var labels: String?

  @Option(help: ArgumentHelp("ImageNet: the folder of boxes in XML.", valueName: "dir"))
  var boxes: String?

  @Option(help: ArgumentHelp("COCO: the folder of pictures.", valueName: "dir"))
  var images: String?

  @Option(help: ArgumentHelp("PASCAL VOC: which list of ImageSets/Main.", valueName: "name"))
  var split: String?

  @Flag(help: "Leave out objects of classes that the network does not have.")
  var skipUnknownClasses = false

  @Option(help: ArgumentHelp("Use only n pictures, drawn at random.", valueName: "n"))
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is \(limit); expected a positive number") }
  }

  func load(for model: Model, seed: UInt64) throws -> DataSet {
    let inferred = try model.network.graph.inferred(forInput: model.exampleInputShape)
    let count = model.network.scoreLayout(inferred).classes
    let names =
      if let classes {
        try ClassNames(contentsOf: classes, names: model.labels?.names ?? [:], count: count)
      } else {
        ClassNames(names: model.labels?.names ?? [:], count: count)
      }
    var options = DataSetOptions()
    options.labels = labels
    options.boxes = boxes
    options.images = images
    options.split = split
    options.skipsUnknownClasses = skipUnknownClasses
    let data = try DataSet.load(path, format: format, options: options, classes: names)
    return limit.map { data.sample($0, seed: seed) } ?? data
  }
}

extension DataSetFormat: ExpressibleByArgument {}
extension GridPointing.Layout: ExpressibleByArgument {}
extension Ablation.TargetChoice: ExpressibleByArgument {}

/// The methods that are compared.
struct MethodOptions: ParsableArguments {
  @Option(
    name: .customLong("method"),
    help: ArgumentHelp(
      "A method, as in relevance explain. Repeatable. (default: \(Self.usual.map(\.name).joined(separator: ", ")))",
      valueName: "m"), transform: MethodCatalogue.standard.method(parsing:))
  var given: [any Method] = []

  private static let usual: [any Method] = [.random, .gradient, .guidedBackprop, .lrp, .clrp1, .clrp2]

  var values: [any Method] { given.isEmpty ? Self.usual : given }

  func validate() throws {
    var seen: Set<String> = []
    for method in given where !seen.insert(method.description).inserted {
      throw ValidationError("--method \(method) is given twice")
    }
  }
}

/// Which class is explained.
struct TargetChoiceOptions: ParsableArguments {
  @Option(
    name: .customLong("target"),
    help:
      "Explain the classes that a picture is labelled with (labelled), or the one with the highest logit (predicted).")
  var choice = Ablation.TargetChoice.labelled
}

/// What pixels are replaced by.
struct MeanOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What pixels are replaced by: data (the mean of the data set's pictures, place by place, as in the paper; it is kept in the \
      output folder), mean (the pixel that the preprocessing subtracts), or a .npy of the input's shape.
      """, valueName: "what"))
  var replace = "data"

  func validate() throws {
    guard ["data", "mean"].contains(replace) || replace.lowercased().hasSuffix(".npy") else {
      throw ValidationError("--replace is \(replace); expected data, mean or a .npy file")
    }
  }

  /// 1 × channels × height × width.
  func picture(for setting: EvaluationOptions.Setting, _ options: EvaluationOptions) throws -> Tensor {
    switch replace {
    case "mean":
      guard let first = setting.data.images.lazy.compactMap({ try? Image(contentsOf: $0.path) }).first else {
        throw EvaluationError.nothingToEvaluate(needs: "pixels that can be read")
      }
      return try setting.subject.preprocessing.tensor(from: first).map { _ in 0 }
    case "data":
      let file = try options.cached("mean-\(setting.subject.cacheName(for: setting.data, withNetwork: false)).npy")
      if let kept = try? NumPyFile.read(file.path) { return kept }
      let progress = ProgressLine("averaging the pictures", total: setting.data.images.count)
      let mean = try MeanPicture(of: setting.data, setting.subject.preprocessing) { progress.update(done: $0) }
      progress.end()
      try NumPyFile.write(mean.tensor, to: file.path)
      return mean.tensor
    default:
      let tensor = try NumPyFile.read(replace)
      return tensor.shape.rank == 3 ? tensor.reshaped(to: Shape([1] + tensor.shape.dimensions)) : tensor
    }
  }
}
