import Foundation
import RelevanceSupport

/// What is measured of explanations, item by item, each on its own, and then summed up; its properties are what can be
/// chosen.
package protocol ItemwiseEvaluation: Sendable {
  /// What is found for an item.
  associatedtype Record: Codable, Sendable
  /// What its journals are of: `pointing`, `ablation`, …
  static var name: String { get }
  /// Whether a record is one of the evaluation that a journal's head describes: a damaged line is not to be summed up.
  static func fits(_ record: Record, _ header: JournalHeader) -> Bool
  /// What the numbers of the head and of records can be; a damaged one is neither summed up nor drawn.
  static var bounds: JournalBounds<Record> { get }
  static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults
}

/// What an evaluation found.
public struct EvaluationResults: Sendable {
  /// Tables, the most important first.
  public let tables: [ResultTable]
  /// The same drawn.
  public let charts: [EvaluationChart]
  /// What a reader should know.
  public let notes: [String]

  package init(tables: [ResultTable], charts: [EvaluationChart] = [], notes: [String] = []) {
    (self.tables, self.charts, self.notes) = (tables, charts, notes)
  }
}

/// How far a run is.
public struct EvaluationProgress: Sendable {
  /// Items that are done, those of earlier runs included.
  public let done: Int
  /// Items of the shard.
  public let total: Int
  /// Items that this run has done.
  package let doneNow: Int
  /// Seconds since this run began.
  package let seconds: Double
  /// The item that was just done, and why it could not be if so.
  public let failure: (name: String, error: String)?

  package init(done: Int, total: Int, doneNow: Int, seconds: Double, failure: (name: String, error: String)? = nil) {
    (self.done, self.total, self.doneNow, self.seconds) = (done, total, doneNow, seconds)
    self.failure = failure
  }
}

/// An evaluation with its items, ready to run.
public struct PreparedEvaluation: Sendable {
  private let evaluation: any ItemwiseEvaluation.Type
  private let configuration: [String: [String]]
  /// The names of the items.
  package let items: [String]
  private let entry: @Sendable (Int) throws -> Journal.Entry
  /// How many of the items are drawn after a run.
  package var drawnItems = 0
  /// Figures of an item, with their names as files without extensions; it is told the names of classes.
  package var figures:
    @Sendable (_ item: Int, _ names: @escaping @Sendable (Int) -> String?) throws -> [EvaluationFigure] = {
      _, _ in []
    }

  /// Prepares items, of which `record` measures one by its position; a `RelevanceKitError` that it throws is counted,
  /// and the run goes on. `configuration` is all that results depend on.
  package init<Evaluation: ItemwiseEvaluation>(
    _ evaluation: Evaluation.Type, configuration: [String: [String]], items: [String],
    record: @escaping @Sendable (Int) throws -> Evaluation.Record
  ) {
    (self.evaluation, self.configuration, self.items) = (evaluation, configuration, items)
    entry = { index in
      var line = Journal.Line<Evaluation.Record>(index: index, name: items[index])
      do { line.record = try record(index) } catch let error as any RelevanceKitError {
        line.error = error.description
      }
      return line.entry(try Journal.line(line))
    }
  }

  /// What its journals are of.
  package var name: String { evaluation.name }

  /// Measures all items of a shard that are not in the journal yet, and writes each to it as soon as it is done.
  ///
  /// - Parameters:
  ///   - file: the journal.
  ///   - shard: which of the items.
  ///   - resumes: whether to continue a journal that is there; otherwise one is an error.
  ///   - progress: called after each item, when it is in the journal; what it throws ends the run.
  /// - Throws: a `RelevanceKitError` about the journal, errors that are not those of an item, and what `progress`
  ///   throws. In a task that is cancelled, `CancellationError` before the next item; the journal then has all items
  ///   that were done.
  public func run(
    journal file: some FileLocation, shard: Shard = .whole, resumes: Bool = false,
    progress: (EvaluationProgress) throws -> Void = { _ in }
  ) throws -> Journal {
    let header = JournalHeader(evaluation: name, configuration: configuration, items: items.count, shard: shard)
    let file = try JournalFile(file.fileSystemPath, Journal(evaluation, header: header), resumes: resumes)
    let total = shard.count(of: items.count)
    let start = ContinuousClock.now
    let before = file.journal.entries.count
    for number in before..<max(before, total) {
      try Task.checkCancellation()
      let entry = try entry(shard.item(number))
      try file.append(entry)
      try progress(
        EvaluationProgress(
          done: number + 1, total: total, doneNow: number + 1 - before, seconds: (.now - start) / .seconds(1),
          failure: entry.error.map { (entry.name, $0) }))
    }
    return file.journal
  }
}

/// A journal that is being written.
private final class JournalFile {
  private(set) var journal: Journal
  private let path: String
  private let descriptor: Int32

  init(_ path: String, _ journal: Journal, resumes: Bool) throws {
    self.path = path
    func failure() -> SimpleError { .cannotWrite(path, reason: String(cString: strerror(errno))) }
    do { try AtomicFiles.checkCanReplace(path) } catch let failure as AtomicFiles.Failure {
      throw SimpleError.cannotWrite(path, reason: failure.reason)
    }
    // Without O_NONBLOCK, opening what has become a pipe meanwhile could wait for ever.
    descriptor = FileSystem.withBytes(of: path) {
      open($0, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o666)
    }
    guard descriptor >= 0 else { throw failure() }
    self.journal = journal
    // From here on deinit closes it, also where this throws. The lock is released when the process ends, however it
    // does.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw SimpleError.inUse(path) }
    let size = lseek(descriptor, 0, SEEK_END)
    if size > 0, !resumes {
      throw SimpleError("\(path) is there already; --resume continues it, another --output starts anew", .usage)
    }
    var kept = 0
    // Without a complete first line nothing was done.
    if size > 0, try Self.hasCompleteLine(path) {
      (self.journal, kept) = try Journal.read(path, of: journal.evaluation)
      let (own, header) = (self.journal.header, journal.header)
      if let difference = own.difference(from: header) { throw SimpleError.cannotContinue(path, difference) }
      guard own.shard == header.shard else {
        throw SimpleError.cannotContinue(path, "shard \(own.shard.rawValue), not \(header.shard.rawValue)")
      }
    }
    guard ftruncate(descriptor, off_t(kept)) == 0 else { throw failure() }
    if kept == 0 { try write(Journal.line(journal.header)) }
  }

  deinit {
    // Not by closing alone: a process that is just being started has the descriptor too, for a moment.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  func append(_ entry: Journal.Entry) throws {
    try write(entry.bytes)
    journal.entries.append(entry)
  }

  private func write(_ line: Data) throws {
    var rest = line
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SimpleError.cannotWrite(path, reason: String(cString: strerror(errno))) }
      rest = rest.dropFirst(count)
    }
  }

  private static func hasCompleteLine(_ path: String) throws -> Bool {
    let data = try journalData(path)
    return data.contains(UInt8(ascii: "\n"))
  }
}
