import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

/// Options of all runs over a data set: the network, the images, and the selection of images.
struct DataRunOptions: ParsableArguments {
  @OptionGroup var model: ModelOptions
  @OptionGroup var data: DataSetArguments
  @OptionGroup var rules: RuleOptions
  @OptionGroup var fitting: FitOptions

  @Option(help: ArgumentHelp("The seed of all random choices.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Continue the run in the output folder.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Process part i of n. Its files are named i-of-n; the merge subcommand joins all parts.", valueName: "i/n"),
    transform: {
      guard let shard = Shard(rawValue: $0) else {
        throw ValidationError("--shard is \($0); expected i/n with 1 ≤ i ≤ n")
      }
      return shard
    })
  var shard = Shard.whole

  @Flag(help: "Exit with status 65 if any item could not be used.")
  var strict = false

  /// A network and methods to evaluate, and the data.
  struct Setting {
    let subject: Subject
    let data: DataSet
    let labels: Labels?
    let model: Model
  }

  /// - Parameters:
  ///   - methods: the methods to evaluate.
  ///   - keeper: stores values that are computed from all images before the first item; nil if there are none.
  /// - Throws: `RelevanceKitError` if the model or the data cannot be read.
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
    // One note is enough: all images of a data set are prepared in the same way.
    let first = BoxNotes(limit: 1)
    let note: (@Sendable (String) -> Void)? =
      methods.contains(where: \.isRelevance)
      ? { @Sendable in first.say($0) } : nil
    // Random maps depend on the seed.
    let methods = methods.map { method in
      (method as? RandomMap)?.seed == 0 ? RandomMap(seed: seed) : method
    }
    var subject = Subject(explainer, methods: methods, note: note)
    subject.keeper = keeper
    return Setting(subject: subject, data: data, labels: model.labels, model: model)
  }

  /// The name of a result file: `name.extension`, or `name-i-of-n.extension` for a shard.
  func fileName(_ name: String, extension fileExtension: String) -> String {
    shard == .whole ? "\(name).\(fileExtension)" : "\(name)-\(shard.index)-of-\(shard.count).\(fileExtension)"
  }

  /// Ends the command if no item could be used or, with `--strict`, if one could not.
  ///
  /// - Throws: `EvaluateError` or `ExitCode`.
  func checkFailures(_ failures: Int, of count: Int) throws {
    if failures == count, failures > 0 { throw EvaluateError.nothingDone(failures) }
    if failures > 0, strict { throw ExitCode(65) }
  }
}
