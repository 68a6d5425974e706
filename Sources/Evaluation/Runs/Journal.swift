import Foundation
import RelevanceSupport

/// What was found for every item of an evaluation so far, as a text file that survives the end of its process at any moment.
///
/// The first line says what is evaluated and how, as JSON; each further line is an item's record, or why there is none. A line is
/// written at once, in the order of the items; a last line without its end is taken for what was interrupted. The same evaluation
/// always gives the same bytes.
public struct Journal: Sendable {
  let evaluation: any ItemwiseEvaluation.Type
  package var header: JournalHeader
  /// The items done, in their order.
  package var entries: [Entry] = []

  /// An item that was done.
  package struct Entry: Sendable {
    let index: Int
    let name: String
    /// What was found; nil if nothing could be.
    let record: (any Sendable)?
    let error: String?
    /// The same as it is written.
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

  /// The records of a type, such as `Pointing.Record`, with the positions of their items; none if the evaluation is another one.
  public func records<Record>(_: Record.Type) -> [(item: Int, record: Record)] {
    entries.compactMap { entry in (entry.record as? Record).map { (entry.index, $0) } }
  }

  /// How many items have a record.
  var found: Int { entries.count { $0.record != nil } }

  /// What the records have several of, such as targets, with the positions of their items.
  func parts<Record, Part>(_ parts: (Record) -> [Part]) -> [(item: Int, part: Part)] {
    records(Record.self).flatMap { item, record in parts(record).map { (item, $0) } }
  }

  /// The items that could not be evaluated, by name, and why not.
  ///
  /// - Complexity: O(items).
  public var failures: [(name: String, error: String)] {
    entries.compactMap { entry in entry.error.map { (entry.name, $0) } }
  }

  /// Whether all items are done.
  public var isComplete: Bool { entries.count == header.shard.count(of: header.items) }

  /// Sums up the records of a whole evaluation; it needs neither the model nor the data.
  ///
  /// - Parameters:
  ///   - resamples: how many resamples of the items the intervals are from.
  ///   - seed: of the resampling; the same seed gives the same intervals.
  public func results(resamples: Int = 1000, seed: UInt64 = 0) -> EvaluationResults {
    evaluation.results(of: self, Bootstrap(items: header.items, resamples: resamples, seed: seed))
  }

  /// Reads the journal of one of the package's evaluations.
  ///
  /// - Throws: a `RelevanceKitError` if the file is none, or is damaged other than by an interruption.
  public init(contentsOf file: some FileLocation) throws { self = try Self.read(file.fileSystemPath).journal }

  /// The journal, and the bytes of its complete lines; nil expects one of the package's evaluations.
  package static func read(
    _ path: String, of expected: (any ItemwiseEvaluation.Type)? = nil
  ) throws -> (journal: Journal, bytes: Int) {
    let (header, data) = try JournalHeader.read(path)
    guard let evaluation = expected ?? EvaluationCatalog.types.first(where: { $0.name == header.evaluation }) else {
      throw SimpleError("\(path): a journal of \(header.evaluation), which this version does not know")
    }
    guard header.evaluation == evaluation.name else {
      throw SimpleError("\(path): expected a journal of \(evaluation.name), found one of \(header.evaluation)")
    }
    guard header.items >= 0 else { throw SimpleError.noHeader(path) }
    func headObjection<E: ItemwiseEvaluation>(_: E.Type) -> String? { E.bounds.objection(to: header) }
    if let objection = headObjection(evaluation) { throw SimpleError("\(path): line 1 is damaged: \(objection)") }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // Empty if the last line is complete.
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
        throw damaged(number, "the record is not one of what the first line describes")
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

  /// The whole of an evaluation from the journals of its shards.
  ///
  /// - Throws: a `RelevanceKitError` unless the journals are of one evaluation, and each shard is there once and complete.
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
          "\(path): \(journal.entries.count) of \(all) items are done; --resume its evaluation first", .usage)
      }
      for entry in journal.entries {
        guard entries.updateValue(entry, forKey: entry.index) == nil else {
          throw SimpleError("\(path): shard \(journal.header.shard.rawValue) is there twice", .usage)
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

  /// The file's bytes.
  ///
  /// - Throws: `EncodingError`, but for no journal that was read or written.
  public func data() throws -> Data { try entries.reduce(into: Self.line(header)) { $0 += $1.bytes } }

  static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value) + Data("\n".utf8)
  }
}

/// What an evaluation's journal is of.
package struct JournalHeader: Codable {
  /// Which evaluation: `pointing`, `ablation`, …
  package let evaluation: String
  /// Everything that results depend on: what is in one journal can be continued, and merged, only with the same.
  package let configuration: [String: [String]]
  /// How many items the whole evaluation has.
  package let items: Int
  /// Which of them are in this journal.
  package var shard: Shard

  package init(evaluation: String, configuration: [String: [String]], items: Int, shard: Shard) {
    (self.evaluation, self.configuration, self.items, self.shard) = (evaluation, configuration, items, shard)
  }

  /// The head, and all of the file.
  static func read(_ path: String) throws -> (header: JournalHeader, data: Data) {
    let data = try journalData(path)
    guard let end = data.firstIndex(of: UInt8(ascii: "\n")),
      let header = try? JSONDecoder().decode(JournalHeader.self, from: data[..<end])
    else { throw SimpleError.noHeader(path) }
    return (header, data)
  }

  /// The methods, where the configuration has them.
  var methods: [String] { configuration["methods"] ?? [] }

  /// A whole number of the configuration; nil if it is none within reason.
  func number(_ key: String) -> Int? {
    configuration[key]?.first.flatMap { Int($0) }.flatMap { (1...1_000_000).contains($0) ? $0 : nil }
  }

  /// Whether a number can be a class's.
  static func isClass(_ index: Int) -> Bool { (0..<1 << 20).contains(index) }

  /// The first difference but for the shard, in words; nil if there is none.
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

/// Part of an evaluation's items: every `count`-th from the `index`-th on.
public struct Shard: RawRepresentable, Hashable, Sendable, Codable {
  /// From 1 to `count`.
  public let index: Int
  /// Into how many parts the items are divided.
  public let count: Int

  /// All items.
  public static let whole = Shard(index: 1, count: 1)

  private init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

  /// Reads `i/n`; nil unless 1 ≤ i ≤ n.
  public init?(rawValue: String) {
    let parts = rawValue.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], (1...max(count, 1)).contains(index),
      (1...1_000_000).contains(count)
    else { return nil }
    self.init(index: index, count: count)
  }

  /// `i/n`.
  public var rawValue: String { "\(index)/\(count)" }

  /// How many of `total` items it has.
  func count(of total: Int) -> Int { total < index ? 0 : (total - index) / count + 1 }

  /// The position of its n-th item, from 0.
  func item(_ number: Int) -> Int { index - 1 + number * count }
}

/// The bytes of a journal.
func journalData(_ path: String) throws -> Data {
  try ReadableFile.data(path, missing: "no such journal, or no permission to read it")
}

/// What can be wrong with a journal.
extension SimpleError {
  static func noHeader(_ path: String) -> Self {
    Self("\(path): expected a journal of relevance evaluate, whose first line says what is evaluated")
  }
  package static func inUse(_ path: String) -> Self { Self("\(path): another process is writing to it", .usage) }
  static func cannotContinue(_ path: String, _ difference: String) -> Self {
    Self("\(path) cannot be continued: it has \(difference)", .usage)
  }
}
