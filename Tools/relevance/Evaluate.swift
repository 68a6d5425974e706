import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the quality of explanations on labeled images.",
    discussion: """
      DATA is a folder with a folder for each class, a flat folder with --labels FILE and --boxes DIR (ImageNet), a \
      PASCAL VOC folder, a COCO instances_*.json, or a manifest in CSV or JSONL.

      Each result is appended to DIR/journal.jsonl at once. --resume continues an interrupted run and writes the same \
      bytes as an uninterrupted one. --shard i/n processes every n-th image, for the job array of a cluster; relevance \
      evaluate merge joins the journals of all shards. DIR/report.md, DIR/report.json and a .csv file for each table \
      contain means and 95 % intervals (bootstrap over images).

      Examples:
        relevance evaluate pointing squeezenet1.1 VOC2012 --classes classes.json
        relevance evaluate grid squeezenet1.1 val/ --method lrp --method clrp1
      """,
    subcommands: EvaluationCatalog.types.map { command($0) } + [EvaluateMerge.self])

  private static func command<E: NamedEvaluation>(_: E.Type) -> any ParsableCommand.Type { EvaluationCommand<E>.self }
}

/// The subcommand of an evaluation, as the catalog declares it.
struct EvaluationCommand<E: NamedEvaluation>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: E.subcommand, abstract: E.abstract, discussion: E.discussion)
  }

  @OptionGroup var options: EvaluationRunOptions
  @OptionGroup var declared: DeclaredOptions<E>

  func run() throws {
    let setting = try options.data.setting(methods: declared.methods, keeper: options.output)
    var evaluation = declared.evaluation
    evaluation.seed = options.data.seed
    let prepared = try evaluation.prepared(setting.subject, on: setting.data)
    try options.run(prepared)
    for item in 0..<prepared.drawnItems {
      let folder = try options.output.folder().appendingPathComponent("figures")
      try makeFolder(folder)
      do {
        for figure in try prepared.figures(item, { setting.labels?[$0] }) {
          try figure.image.writePNG(to: folder.appendingPathComponent("\(figure.name).png").path)
        }
      } catch let error as EvaluationError { Console.note("\(prepared.items[item]) is not drawn: \(error)") }
    }
  }
}

struct EvaluateMerge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merges the journals of all shards into the results of a single run.",
    discussion: """
      Example: relevance evaluate merge evaluation --output evaluation
      """)

  @Argument(help: ArgumentHelp("Journals of shards, or folders that contain them.", valueName: "journal"))
  var paths: [String]

  @OptionGroup var output: EvaluationOutput

  func run() throws {
    let journals = try paths.flatMap { path -> [String] in
      guard FileSystem.isFolder(path) == true else { return [path] }
      let names = (try? FileSystem.names(in: path)) ?? []
      let found = names.filter { $0.hasPrefix("journal-") && $0.hasSuffix(".jsonl") }.sorted()
      guard !found.isEmpty else { throw EvaluateError.noJournals(path) }
      return found.map { "\(path)/\($0)" }
    }
    let journal = try Journal.merging(journals)
    try writeFile(journal.data(), to: output.folder().appendingPathComponent("journal.jsonl"))
    try output.write(journal)
  }
}

/// A failed evaluation or merge.
enum EvaluateError: RelevanceKitError {
  case noJournals(String)
  case nothingDone(Int)

  var category: ErrorCategory {
    switch self {
    case .noJournals: .missingInput
    case .nothingDone: .badData
    }
  }

  var description: String {
    switch self {
    case .noJournals(let folder): "\(folder): expected journals of shards, journal-i-of-n.jsonl, found none"
    case .nothingDone(let count): "none of the \(count) items could be evaluated"
    }
  }
}
