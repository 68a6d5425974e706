import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

/// What all runs over a data set share: the network, the pictures, and which of them.
struct DataRunOptions: ParsableArguments {
  @OptionGroup var model: ModelOptions
  @OptionGroup var data: DataSetArguments
  @OptionGroup var rules: RuleOptions
  @OptionGroup var fitting: FitOptions

  @Option(help: ArgumentHelp("What is drawn at random: the same for the same seed.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Continue what is in the output folder.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Do only part i of n of the items; the files have i-of-n in their names, and merge joins them.", valueName: "i/n"),
    transform: {
      guard let shard = Shard(rawValue: $0) else {
        throw ValidationError("--shard is \($0); expected i/n with 1 ≤ i ≤ n")
      }
      return shard
    })
  var shard = Shard.whole

  @Flag(help: "End with status 65 if an item could not be used, although the rest was.")
  var strict = false

  /// What is explained on what.
  struct Setting {
    let subject: Subject
    let data: DataSet
    let labels: Labels?
    let model: Model
  }

  /// - Parameter keeper: keeps what is made of the pictures before the first item; nil if nothing is.
  func setting(methods: [any AttributionMethod], keeper: (any EvaluationKeeper)? = nil) throws -> Setting {
    let model = try model.load()
    let explainer = try Explainer(
      rules.network(of: model), rules: rules.table(for: model), preprocessing: fitting.preprocessing(of: model),
      threads: self.model.threads)
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
    var subject = Subject(explainer, methods: methods, note: note)
    subject.keeper = keeper
    return Setting(subject: subject, data: data, labels: model.labels, model: model)
  }

  /// The name of a file with what was found: `name.extension`, of a shard `name-i-of-n.extension`.
  func fileName(_ name: String, extension fileExtension: String) -> String {
    shard == .whole ? "\(name).\(fileExtension)" : "\(name)-\(shard.index)-of-\(shard.count).\(fileExtension)"
  }

  /// Ends the tool if nothing, or not all, could be done.
  func checkFailures(_ failures: Int, of count: Int) throws {
    if failures == count, failures > 0 { throw EvaluateError.nothingDone(failures) }
    if failures > 0, strict { throw ExitCode(65) }
  }
}
