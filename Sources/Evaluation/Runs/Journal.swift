import Foundation
import Support

/// What was found for every item of an evaluation so far, as a text file that survives the end of its process at any moment.
///
/// The first line says what is evaluated and how, as JSON; each further line is an item's record, or why there is none. A line is
/// written at once, in the order of the items; a last line without its end is taken for what was interrupted. The same evaluation
/// always gives the same bytes.
public struct Journal<Evaluation: ItemwiseEvaluation>: Sendable {
  /// What is evaluated and how.
  public var header: JournalHeader
  /// The items done, in their order.
  public var entries: [Entry]

  /// An item that was done.
  public struct Entry: Codable, Sendable {
    /// Its position among all items.
    public let index: Int
    /// Its name, such as a picture's.
    public let name: String
    /// What was found; nil if nothing could be.
    public let record: Evaluation.Record?
    /// Why not.
    public let error: String?
  }

  /// The records, with the positions of their items.
  ///
  /// - Complexity: O(entries).
  public var records: [(item: Int, record: Evaluation.Record)] {
    entries.compactMap { entry in entry.record.map { (entry.index, $0) } }
  }

  /// What the records have several of, such as targets, with the positions of their items.
  func parts<Part>(_ parts: (Evaluation.Record) -> [Part]) -> [(item: Int, part: Part)] {
    records.flatMap { item, record in parts(record).map { (item, $0) } }
  }

  /// The items that could not be evaluated.
  ///
  /// - Complexity: O(entries).
  public var failures: [Entry] { entries.filter { $0.record == nil } }

  init(header: JournalHeader, entries: [Entry] = []) { (self.header, self.entries) = (header, entries) }

  /// Reads a journal.
  ///
  /// - Throws: a `RelevanceKitError` if the file is none, is one of another evaluation, or is damaged other than by an interruption.
  public init(contentsOf path: String) throws { self = try Self.read(path).journal }

  /// The journal, and the bytes of its complete lines.
  static func read(_ path: String) throws -> (journal: Journal, bytes: Int) {
    let (header, data) = try JournalHeader.read(path)
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // Empty if the last line is complete.
    let rest = lines.removeLast()
    guard header.evaluation == Evaluation.name else {
      throw JournalError.otherEvaluation(path, expected: Evaluation.name, found: header.evaluation)
    }
    let decoder = JSONDecoder()
    guard header.items >= 0 else { throw JournalError.noHeader(path) }
    let expected = header.shard.count(of: header.items)
    guard lines.count - 1 <= expected else {
      throw JournalError.damaged(path, line: expected + 2, reason: "there are only \(expected) items")
    }
    let entries = try lines.dropFirst().enumerated().map { number, line in
      let index = header.shard.item(number)
      guard let entry = try? decoder.decode(Entry.self, from: line) else {
        throw JournalError.damaged(path, line: number + 2, reason: "expected the record of an item in JSON")
      }
      guard entry.record.map({ Evaluation.fits($0, header) }) ?? true else {
        throw JournalError.damaged(
          path, line: number + 2, reason: "the record is not one of what the first line describes")
      }
      guard entry.index == index else {
        throw JournalError.damaged(path, line: number + 2, reason: "expected item \(index), found \(entry.index)")
      }
      return entry
    }
    return (Journal(header: header, entries: entries), data.count - rest.count)
  }

  /// Whether all items are done.
  public var isComplete: Bool { entries.count == header.shard.count(of: header.items) }

  /// The whole of an evaluation from the journals of its shards.
  ///
  /// - Throws: a `RelevanceKitError` unless the journals are of one evaluation, and each shard is there once and complete.
  public static func merging(_ paths: [String]) throws -> Journal {
    let parts = try paths.map { path in (path: path, journal: try Journal(contentsOf: path)) }
    guard let first = parts.first else { throw JournalError.nothingToMerge }
    var entries: [Int: Entry] = [:]
    for (path, journal) in parts {
      if let difference = journal.header.difference(from: first.journal.header) {
        throw JournalError.differs(path, first.path, difference)
      }
      guard journal.isComplete else {
        let all = journal.header.shard.count(of: journal.header.items)
        throw JournalError.incomplete(path, done: journal.entries.count, of: all)
      }
      for entry in journal.entries {
        guard entries.updateValue(entry, forKey: entry.index) == nil else {
          throw JournalError.twice(path, shard: journal.header.shard.description)
        }
      }
    }
    var header = first.journal.header
    guard entries.count == header.items else {
      throw JournalError.shardsMissing(found: parts.map(\.journal.header.shard.description))
    }
    header.shard = .whole
    return Journal(header: header, entries: entries.values.sorted { $0.index < $1.index })
  }

  /// The file's bytes.
  ///
  /// - Throws: `EncodingError` if a record has a number that JSON does not have, such as NaN.
  public func data() throws -> Data { try entries.reduce(into: Self.line(header)) { $0 += try Self.line($1) } }

  static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value) + Data("\n".utf8)
  }
}

/// What an evaluation's journal is of.
public struct JournalHeader: Codable, Hashable, Sendable {
  /// Which evaluation: `pointing`, `ablation`, …
  public let evaluation: String
  /// Everything that results depend on: what is in one journal can be continued, and merged, only with the same.
  public let configuration: [String: [String]]
  /// How many items the whole evaluation has.
  public let items: Int
  /// Which of them are in this journal.
  public var shard: Shard

  /// Reads the head of a journal, whatever it is of.
  package init(ofJournal path: String) throws { self = try Self.read(path).header }

  /// The head, and all of the file.
  static func read(_ path: String) throws -> (header: JournalHeader, data: Data) {
    guard let data = FileManager.default.contents(atPath: path) else { throw JournalError.missing(path) }
    guard let end = data.firstIndex(of: UInt8(ascii: "\n")),
      let header = try? JSONDecoder().decode(JournalHeader.self, from: data[..<end])
    else { throw JournalError.noHeader(path) }
    return (header, data)
  }

  init(evaluation: String, configuration: [String: [String]], items: Int, shard: Shard) {
    (self.evaluation, self.configuration, self.items, self.shard) = (evaluation, configuration, items, shard)
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
public struct Shard: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
  /// From 1 to `count`.
  public let index: Int
  /// Into how many parts the items are divided.
  public let count: Int

  /// All items.
  public static let whole = Shard(index: 1, count: 1)

  private init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

  /// Reads `i/n`; nil unless 1 ≤ i ≤ n.
  public init?(_ description: String) {
    let parts = description.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], (1...max(count, 1)).contains(index),
      (1...1_000_000).contains(count)
    else { return nil }
    self.init(index: index, count: count)
  }

  public var description: String { "\(index)/\(count)" }

  public init?(rawValue: String) { self.init(rawValue) }
  public var rawValue: String { description }

  /// How many of `total` items it has.
  func count(of total: Int) -> Int { total < index ? 0 : (total - index) / count + 1 }

  /// The position of its n-th item, from 0.
  func item(_ number: Int) -> Int { index - 1 + number * count }
}

/// A journal that cannot be used.
package struct JournalError: RelevanceKitError, Equatable {
  package let category: ErrorCategory
  package let description: String

  private init(_ category: ErrorCategory, _ description: String) {
    (self.category, self.description) = (category, description)
  }

  static func missing(_ path: String) -> Self { Self(.missingInput, "\(path): no such journal, or it may not be read") }
  static func noHeader(_ path: String) -> Self {
    Self(.badData, "\(path): expected a journal of relevance evaluate, whose first line says what is evaluated")
  }
  static func otherEvaluation(_ path: String, expected: String, found: String) -> Self {
    Self(.badData, "\(path): expected a journal of \(expected), found one of \(found)")
  }
  /// A line, counted from 1, is not the record that belongs there.
  static func damaged(_ path: String, line: Int, reason: String) -> Self {
    Self(.badData, "\(path): line \(line) is damaged: \(reason)")
  }
  static func exists(_ path: String) -> Self {
    Self(.usage, "\(path) is there already; --resume continues it, another --output starts anew")
  }
  package static func inUse(_ path: String) -> Self { Self(.usage, "\(path): another process is writing to it") }
  static func cannotWrite(_ path: String, reason: String) -> Self {
    Self(.cannotWrite, "\(path): cannot be written: \(reason)")
  }
  static func cannotContinue(_ path: String, _ difference: String) -> Self {
    Self(.usage, "\(path) cannot be continued: it has \(difference)")
  }
  static func differs(_ path: String, _ other: String, _ difference: String) -> Self {
    Self(.usage, "\(path) and \(other) are not of the same evaluation: the first has \(difference)")
  }
  static func incomplete(_ path: String, done: Int, of all: Int) -> Self {
    Self(.usage, "\(path): \(done) of \(all) items are done; --resume its evaluation first")
  }
  static func twice(_ path: String, shard: String) -> Self { Self(.usage, "\(path): shard \(shard) is there twice") }
  static func shardsMissing(found: [String]) -> Self {
    Self(.usage, "expected all shards of the evaluation, found \(found.sorted().joined(separator: ", "))")
  }
  package static let nothingToMerge = Self(.usage, "expected journals to merge, or folders with them")
}
