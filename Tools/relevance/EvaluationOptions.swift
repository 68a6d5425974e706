import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Options of all evaluations: the network, the images, and the output.
struct EvaluationRunOptions: ParsableArguments {
  @OptionGroup var data: DataRunOptions
  @OptionGroup var output: EvaluationOutput

  /// Runs an evaluation and writes its results.
  func run(_ evaluation: PreparedEvaluation) throws {
    let name = data.fileName("journal", extension: "jsonl")
    let path = try output.folder().appendingPathComponent(name).path
    let progress = ProgressLine(evaluation.name)
    let journal = try evaluation.run(journal: path, shard: data.shard, resumes: data.resume) {
      if let failure = $0.failure { Console.note("\(failure.name) is left out: \(failure.error)") }
      progress.update($0)
    }
    progress.end()
    if data.shard == .whole {
      try output.write(journal)
    } else {
      Console.summary(
        "\(path): \(journal.entries.count) items; relevance evaluate merge joins all \(data.shard.count) shards"
          .printable)
    }
    try data.checkFailures(journal.failures.count, of: journal.entries.count)
  }
}

/// The location and format of labeled images.
struct DataSetArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("The labeled images: a folder, or a file that lists them.", valueName: "data"))
  var path: String

  @Option(
    help:
      "The format of DATA: \(DataSetFormat.allCases.map(\.rawValue).joined(separator: ", ")). (default: detected)")
  var format: DataSetFormat?

  @Option(
    help: ArgumentHelp(
      """
      A file that maps class names of the data to classes of the network: a JSON object or list, or one name per line. \
      (default: the model's labels)
      """, valueName: "file"))
  var classes: String?

  @Option(help: ArgumentHelp("ImageNet: the file with the class of each image.", valueName: "file"))
  var labels: String?

  @Option(help: ArgumentHelp("ImageNet: the folder of bounding boxes (XML).", valueName: "dir"))
  var boxes: String?

  @Option(help: ArgumentHelp("COCO: the folder of images.", valueName: "dir"))
  var images: String?

  @Option(help: ArgumentHelp("PASCAL VOC: the name of a list in ImageSets/Main.", valueName: "name"))
  var split: String?

  @Flag(help: "Skip objects of classes that the network does not have.")
  var skipUnknownClasses = false

  @Option(help: ArgumentHelp("Use a random sample of n images.", valueName: "n"))
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is \(limit); expected a positive number") }
  }

  func load(for model: Model, seed: UInt64) throws -> DataSet {
    let inferred = try model.network.analysis(forInput: model.exampleInputShape).inferred
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

/// The option for the methods to compare.
private enum MethodArguments {
  /// The option, with the default methods `usual`.
  static func option(usual: [any AttributionMethod]) -> Option<[any AttributionMethod]> {
    Option(
      wrappedValue: [], name: .customLong("method"),
      help: ArgumentHelp(
        "A method of relevance explain. Repeatable. (default: \(usual.map(\.name).joined(separator: ", ")))",
        valueName: "m"),
      transform: MethodCatalog.standard.method(parsing:))
  }

  static func given(in container: KeyedDecodingContainer<AnyKey>) throws -> [any AttributionMethod] {
    try container.decode(Option<[any AttributionMethod]>.self, forKey: "methods").wrappedValue
  }
}

/// The parameters that an evaluation declares, as options.
struct DeclaredOptions<E: NamedEvaluation>: ParsableArguments {
  private(set) var evaluation = E()
  private(set) var methods = E.methods ?? []

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    if E.methods == nil {
      let given = try MethodArguments.given(in: container)
      methods = given.isEmpty ? E.usualMethods : given
    }
    func value<Value: ParameterValue>(of name: String, like _: Value) throws -> any ParameterValue {
      try container.decode(Option<Written<Value>>.self, forKey: AnyKey(stringValue: name)).wrappedValue.value
    }
    for parameter in E.parameters {
      parameter.set(&evaluation, try value(of: parameter.name, like: parameter.usual))
    }
  }

  func validate() throws {
    var seen: Set<String> = []
    for method in methods where !seen.insert(method.description).inserted {
      throw ValidationError("--method \(method) is given twice")
    }
    if let objection = E.parameters.lazy.compactMap({ $0.objection(to: evaluation) }).first {
      throw ValidationError("--\(objection)")
    }
    if let (found, expected) = evaluation.objection { throw ValidationError("\(found); expected \(expected)") }
  }
}

/// The argument parser finds options among the children of a mirror: here, one for each declared parameter.
extension DeclaredOptions: CustomReflectable {
  var customMirror: Mirror {
    let methods: [Mirror.Child] = E.methods == nil ? [("methods", MethodArguments.option(usual: E.usualMethods))] : []
    return Mirror(self, children: methods + E.parameters.map { ($0.name, Self.option($0, usual: $0.usual)) })
  }

  private static func option<Value: ParameterValue>(
    _ parameter: Parameter<E>, usual: Value
  ) -> Any {
    let name = NameSpecification.customLong(parameter.name)
    let help = ArgumentHelp(parameter.help, valueName: parameter.valueName)
    guard !usual.text.isEmpty else { return Option<Written<Value>>(name: name, help: help) }
    return Option(wrappedValue: Written(value: usual), name: name, help: help)
  }
}

/// The value of a declared parameter on the command line.
private struct Written<Value: ParameterValue>: ExpressibleByArgument {
  let value: Value
  init(value: Value) { self.value = value }
  init?(argument: String) {
    guard let value = Value(text: argument) else { return nil }
    self.value = value
  }
  var defaultValueDescription: String { value.text }
  static var allValueStrings: [String] { Value.words }
  static var defaultCompletionKind: CompletionKind { Value.words.isEmpty ? .default : .list(Value.words) }
}
