import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The output of an evaluation.
struct EvaluationOutput: ParsableArguments {
  @Option(name: .customLong("output"), help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var path = "evaluation"

  @Option(help: ArgumentHelp("The number of bootstrap resamples for the intervals.", valueName: "n"))
  var resamples = 1000

  func validate() throws {
    if !(20...10_000).contains(resamples) { throw ValidationError("--resamples is \(resamples); expected 20 to 10000") }
  }

  /// The folder, created if it does not exist.
  func folder() throws -> URL {
    let url = URL(fileURLWithPath: path)
    try makeFolder(url)
    return url
  }

  /// Writes the tables and the report of a complete evaluation, and prints the tables.
  func write(_ journal: Journal) throws {
    let results = journal.results(resamples: resamples)
    let folder = try folder()
    let report = EvaluationReport(journal, results)
    try writeFile(Data(report.markdown.utf8), to: folder.appendingPathComponent("report.md"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try writeFile(try encoder.encode(report) + Data("\n".utf8), to: folder.appendingPathComponent("report.json"))
    for table in results.tables {
      try writeFile(Data(table.csv.utf8), to: folder.appendingPathComponent("\(Self.fileName(table.title)).csv"))
    }
    for chart in results.charts {
      try writeFile(Data(chart.svg.utf8), to: folder.appendingPathComponent("\(chart.name).svg"))
      try chart.image.writePNG(to: folder.appendingPathComponent("\(chart.name).png").path)
    }
    Console.summary(String(report.markdown.dropLast()))
  }

  private static func fileName(_ title: String) -> String {
    title.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }
}

extension EvaluationOutput: EvaluationKeeper {
  func kept(_ name: String) throws -> Data? {
    let path = try folder().appendingPathComponent(name).path
    return FileSystem.exists(path) ? try ReadableFile.data(path, missing: "no such file") : nil
  }

  func keep(_ data: Data, as name: String) throws { try writeFile(data, to: folder().appendingPathComponent(name)) }

  func showing<Value>(_ title: String, total: Int, _ work: ((Int) -> Void) throws -> Value) throws -> Value {
    let progress = ProgressLine(title, total: total)
    defer { progress.end() }
    return try work { progress.update(done: $0) }
  }
}

/// The report of an evaluation. The same journal gives the same bytes.
struct EvaluationReport: Encodable {
  private let evaluation: String
  private let configuration: [String: [String]]
  private let items: Int
  private let failures: [Failure]
  private let tables: [ResultTable]
  private let notes: [String]

  private struct Failure: Encodable {
    let item: String
    let error: String
  }

  init(_ journal: Journal, _ results: EvaluationResults) {
    evaluation = journal.header.evaluation
    configuration = journal.header.configuration
    items = journal.header.items
    failures = journal.failures.map { Failure(item: $0.name, error: $0.error) }
    tables = results.tables
    notes = results.notes
  }

  var markdown: String {
    var lines = ["## \(Markdown.escaped(evaluation))", ""]
    for table in tables { lines += [table.markdown] }
    lines += notes.map { "- \(Markdown.escaped($0))" }
    if !failures.isEmpty {
      lines.append("- \(failures.count) of \(items) items could not be evaluated and are left out:")
      lines += failures.prefix(20).map { "  - \(Markdown.escaped($0.item)): \(Markdown.escaped($0.error))" }
      if failures.count > 20 { lines.append("  - … and \(failures.count - 20) more, which are in the journal.") }
    }
    lines.append("- In brackets: 95 % intervals, from resampled images.")
    lines.append(
      "- Configuration: "
        + Markdown.escaped(
          configuration.sorted { $0.key < $1.key }.map { "\($0) \($1.joined(separator: " "))" }.joined(separator: "; "))
        + ".")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ResultTable: Encodable {
  private enum CodingKeys: CodingKey { case title, columns, rows }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(title, forKey: .title)
    try container.encode(columns, forKey: .columns)
    try container.encode(rows, forKey: .rows)
  }
}

extension ResultTable.Cell: Encodable {
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .count(let count): try container.encode(count)
    // JSON has no infinite numbers and no NaN.
    case .number(let number): number.isFinite ? try container.encode(number) : try container.encodeNil()
    case .estimate(let estimate): try container.encode(estimate)
    case .absent: try container.encodeNil()
    }
  }
}
