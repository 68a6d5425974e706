import Foundation
import RelevanceSupport

/// The results for the items of an evaluation so far, as a text file that survives a termination of the process at any
/// time.
///
/// The first line describes the evaluation as JSON. Each further line is the record of an item, or the reason why there
/// is none. Lines are written immediately, in the order of the items. An incomplete last line is treated as
/// interrupted. The same evaluation always creates the same bytes.
public struct Journal: Sendable {
  let evaluation: any ItemwiseEvaluation.Type
  package var header: JournalHeader
  /// The completed items, in order.
  package var entries: [Entry] = []

  /// A completed item.
  package struct Entry: Sendable {
    let index: Int
    let name: String
    /// The record; nil if the item could not be evaluated.
    let record: (any Sendable)?
    let error: String?
    /// The line of the file.
    let bytes: Data
  }

  /// A line of the file.
  struct Line<Record: Codable & Sendable>: Codable {
    let index: Int
    let name: String
    var record: Record?
    var error: String?

    func entry(_ bytes: Data) -> Entry { Entry(index: index, name: name, record: record, error: error, bytes: bytes) }
  }

  init(_ evaluation: any ItemwiseEvaluation.Type, header: JournalHeader) {
    (self.evaluation, self.header) = (evaluation, header)
  }

  /// The records of a type, such as `Pointing.Record`, with the indices of their items; empty if the evaluation has
  /// another type of record.
  public func records<Record>(_: Record.Type) -> [(item: Int, record: Record)] {
    entries.compactMap { entry in (entry.record as? Record).map { (entry.index, $0) } }
  }

  /// The number of items with a record.
  var found: Int { entries.count { $0.record != nil } }

  /// The parts of the records, such as targets, with the indices of their items.
  func parts<Record, Part>(_ parts: (Record) -> [Part]) -> [(item: Int, part: Part)] {
    records(Record.self).flatMap { item, record in parts(record).map { (item, $0) } }
  }

  /// The names of the items that could not be evaluated, with the errors.
  ///
  /// - Complexity: O(items).
  public var failures: [(name: String, error: String)] {
    entries.compactMap { entry in entry.error.map { (entry.name, $0) } }
  }

  /// Whether all items are done.
  public var isComplete: Bool { entries.count == header.shard.count(of: header.items) }

  /// Summarizes the records of a whole evaluation. This requires neither the model nor the data.
  ///
  /// - Parameters:
  ///   - resamples: the number of resamples for the confidence intervals.
  ///   - seed: the seed of the resampling; the same seed results in the same intervals.
  public func results(resamples: Int = 1000, seed: UInt64 = 0) -> EvaluationResults {
    evaluation.results(of: self, Bootstrap(items: header.items, resamples: resamples, seed: seed))
  }

  /// Reads the journal of one of the package's evaluations.
  ///
  /// - Throws: `RelevanceKitError` if the file is not a journal, or if it is damaged other than by an interruption.
  public init(contentsOf file: some FileLocation) throws { self = try Self.read(file.fileSystemPath).journal }

  /// The journal, and the number of bytes of its complete lines. If `expected` is nil, the journal can be of any of the
  /// package's evaluations.
  package static func read(
    _ path: String, of expected: (any ItemwiseEvaluation.Type)? = nil
  ) throws -> (journal: Journal, bytes: Int) {
    let (header, data) = try JournalHeader.read(path)
    guard let evaluation = expected ?? EvaluationCatalog.types.first(where: { $0.name == header.evaluation }) else {
      throw SimpleError("\(path): a journal of \(header.evaluation), which this version does not support")
    }
    guard header.evaluation == evaluation.name else {
      throw SimpleError("\(path): expected a journal of \(evaluation.name), found one of \(header.evaluation)")
    }
    guard header.items >= 0 else { throw SimpleError.noHeader(path) }
    func headObjection<E: ItemwiseEvaluation>(_: E.Type) -> String? { E.bounds.objection(to: header) }
    if let objection = headObjection(evaluation) { throw SimpleError("\(path): line 1 is damaged: \(objection)") }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // The rest is empty if the last line is complete.
    let rest = lines.removeLast()
    let items = header.shard.count(of: header.items)
    func damaged(_ number: Int, _ reason: String) -> SimpleError {
      SimpleError("\(path): line \(number + 2) is damaged: \(reason)")
    }
    guard lines.count - 1 <= items else { throw damaged(items, "there are only \(items) items") }
    func entry<E: ItemwiseEvaluation>(_ number: Int, _ bytes: Data, _: E.Type, _ bounds: JournalBounds<E.Record>) throws
      -> Entry
    {
      guard let line = try? JSONDecoder().decode(Line<E.Record>.self, from: bytes) else {
        throw damaged(number, "expected the record of an item in JSON")
      }
      guard line.record.map({ E.fits($0, header) }) ?? true else {
        throw damaged(number, "the record does not fit the first line")
      }
      if let objection = line.record.flatMap({ bounds.objection(to: $0) }) { throw damaged(number, objection) }
      let index = header.shard.item(number)
      guard line.index == index else { throw damaged(number, "expected item \(index), found \(line.index)") }
      return line.entry(bytes + Data("\n".utf8))
    }
    var journal = Journal(evaluation, header: header)
    func entries<E: ItemwiseEvaluation>(_: E.Type) throws -> [Entry] {
      let bounds = E.bounds
      return try lines.dropFirst().enumerated().map { try entry($0, $1, E.self, bounds) }
    }
    journal.entries = try entries(evaluation)
    return (journal, data.count - rest.count)
  }

  /// The whole evaluation from the journals of its shards.
  ///
  /// - Throws: `RelevanceKitError` unless the journals belong to one evaluation, and each shard occurs once and is
  ///   complete.
  public static func merging(_ files: [some FileLocation]) throws -> Journal {
    try merging(files.map(\.fileSystemPath), of: nil)
  }

  package static func merging(_ paths: [String], of evaluation: (any ItemwiseEvaluation.Type)?) throws -> Journal {
    guard let first = paths.first else {
      throw SimpleError("expected journals to merge, or folders with them", .usage)
    }
    var whole = try read(first, of: evaluation).journal
    let parts = try paths.map { (path: $0, journal: try read($0, of: whole.evaluation).journal) }
    var entries: [Int: Entry] = [:]
    for (path, journal) in parts {
      if let difference = journal.header.difference(from: whole.header) {
        throw SimpleError(
          "\(path) and \(first) are not of the same evaluation: the first has \(difference)", .usage)
      }
      guard journal.isComplete else {
        let all = journal.header.shard.count(of: journal.header.items)
        throw SimpleError(
          "\(path): only \(journal.entries.count) of \(all) items are done; continue its evaluation with --resume first",
          .usage)
      }
      for entry in journal.entries {
        guard entries.updateValue(entry, forKey: entry.index) == nil else {
          throw SimpleError("\(path): shard \(journal.header.shard.rawValue) occurs twice", .usage)
        }
      }
    }
    guard entries.count == whole.header.items else {
      let found = parts.map(\.journal.header.shard.rawValue).sorted().joined(separator: ", ")
      throw SimpleError("expected all shards of the evaluation, found \(found)", .usage)
    }
    whole.header.shard = .whole
    whole.entries = entries.values.sorted { $0.index < $1.index }
    return whole
  }

  /// The bytes of the file.
  ///
  /// - Throws: `EncodingError`, but never for a journal that was read or written.
  public func data() throws -> Data { try entries.reduce(into: Self.line(header)) { $0 += $1.bytes } }

  static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value) + Data("\n".utf8)
  }
}

/// The description of an evaluation in its journal.
package struct JournalHeader: Codable {
  /// The name of the evaluation: `pointing`, `ablation`, ….
  package let evaluation: String
  /// All settings that affect the results. A journal can only be continued or merged with the same settings.
  package let configuration: [String: [String]]
  /// The number of items of the whole evaluation.
  package let items: Int
  /// The part of the items that is in this journal.
  package var shard: Shard

  package init(evaluation: String, configuration: [String: [String]], items: Int, shard: Shard) {
    (self.evaluation, self.configuration, self.items, self.shard) = (evaluation, configuration, items, shard)
  }

  /// The header, and the whole contents of the file.
  static func read(_ path: String) throws -> (header: JournalHeader, data: Data) {
    let data = try journalData(path)
    guard let end = data.firstIndex(of: UInt8(ascii: "\n")),
      let header = try? JSONDecoder().decode(JournalHeader.self, from: data[..<end])
    else { throw SimpleError.noHeader(path) }
    return (header, data)
  }

  /// The methods; empty if the configuration has none.
  var methods: [String] { configuration["methods"] ?? [] }

  /// An integer of the configuration; nil if there is none from 1 to one million.
  func number(_ key: String) -> Int? {
    configuration[key]?.first.flatMap { Int($0) }.flatMap { (1...1_000_000).contains($0) ? $0 : nil }
  }

  /// Whether a number is a possible class.
  static func isClass(_ index: Int) -> Bool { (0..<1 << 20).contains(index) }

  /// The first difference except for the shard, as text; nil if there is none.
  func difference(from other: JournalHeader) -> String? {
    if evaluation != other.evaluation { return "evaluation \(evaluation), not \(other.evaluation)" }
    for key in Set(configuration.keys).union(other.configuration.keys).sorted() {
      let (own, others) = (configuration[key], other.configuration[key])
      if own != others { return "\(key) \(Self.text(own)), not \(Self.text(others))" }
    }
    if items != other.items { return "\(items) items, not \(other.items)" }
    if shard.count != other.shard.count { return "shards of \(shard.count), not of \(other.shard.count)" }
    return nil
  }

  private static func text(_ value: [String]?) -> String {
    let text = value?.joined(separator: " ") ?? "not given"
    return text.count > 80 ? text.prefix(80) + "…" : text
  }
}

/// A part of an evaluation's items: every `count`-th item, starting with the `index`-th one.
public struct Shard: RawRepresentable, Hashable, Sendable, Codable {
  /// The number of the part, from 1 to `count`.
  public let index: Int
  /// The number of parts.
  public let count: Int

  /// All items.
  public static let whole = Shard(index: 1, count: 1)

  private init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

  /// Parses `i/n`; nil unless 1 ≤ i ≤ n.
  public init?(rawValue: String) {
    let parts = rawValue.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], (1...max(count, 1)).contains(index),
      (1...1_000_000).contains(count)
    else { return nil }
    self.init(index: index, count: count)
  }

  /// The text `i/n`.
  public var rawValue: String { "\(index)/\(count)" }

  /// The number of items in the shard, out of `total`.
  func count(of total: Int) -> Int { total < index ? 0 : (total - index) / count + 1 }

  /// The index of the shard's n-th item, counted from 0.
  func item(_ number: Int) -> Int { index - 1 + number * count }
}

/// The bytes of a journal.
func journalData(_ path: String) throws -> Data {
  try ReadableFile.data(path, missing: "no such journal, or no permission to read it")
}

/// Errors of journals.
extension SimpleError {
  static func noHeader(_ path: String) -> Self {
    Self("\(path): expected a journal of relevance evaluate, whose first line describes the evaluation")
  }
  package static func inUse(_ path: String) -> Self { Self("\(path): another process is writing to it", .usage) }
  static func cannotContinue(_ path: String, _ difference: String) -> Self {
    Self("\(path) cannot be continued: it has \(difference)", .usage)
  }
}
