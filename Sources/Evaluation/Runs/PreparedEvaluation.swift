import Foundation
import RelevanceSupport

/// An evaluation that measures explanations item by item, independently, and then summarizes the records. Its
/// properties are its settings.
package protocol ItemwiseEvaluation: Sendable {
  /// The results for an item.
  associatedtype Record: Codable, Sendable
  /// The name of the evaluation in journals: `pointing`, `ablation`, ….
  static var name: String { get }
  /// Whether a record fits the evaluation that a journal's header describes. A damaged line must not be summarized.
  static func fits(_ record: Record, _ header: JournalHeader) -> Bool
  /// The allowed ranges of the numbers in the header and in records. A damaged record is neither summarized nor drawn.
  static var bounds: JournalBounds<Record> { get }
  static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults
}

/// The results of an evaluation.
public struct EvaluationResults: Sendable {
  /// The tables, the most important one first.
  public let tables: [ResultTable]
  /// The charts of the tables.
  public let charts: [EvaluationChart]
  /// Remarks for the reader.
  public let notes: [String]

  package init(tables: [ResultTable], charts: [EvaluationChart] = [], notes: [String] = []) {
    (self.tables, self.charts, self.notes) = (tables, charts, notes)
  }
}

/// The progress of a run.
public struct EvaluationProgress: Sendable {
  /// The number of completed items, including those of earlier runs.
  public let done: Int
  /// The number of items of the shard.
  public let total: Int
  /// The number of items that this run has completed.
  package let doneNow: Int
  /// The time in seconds since this run started.
  package let seconds: Double
  /// The item that was just completed and its error, if it could not be evaluated.
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
  /// The number of items that are drawn after a run.
  package var drawnItems = 0
  /// The figures of an item, with their file names without extension; the second argument returns the names of classes.
  package var figures:
    @Sendable (_ item: Int, _ names: @escaping @Sendable (Int) -> String?) throws -> [EvaluationFigure] = {
      _, _ in []
    }

  /// Prepares items; `record` measures the item with an index. A `RelevanceKitError` that it throws is recorded, and
  /// the run continues. `configuration` contains all settings that affect the results.
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

  /// The name of the evaluation in journals.
  package var name: String { evaluation.name }

  /// Measures all items of a shard that are not yet in the journal, and writes the record of each item as soon as it is
  /// complete.
  ///
  /// - Parameters:
  ///   - file: the journal.
  ///   - shard: the part of the items to evaluate.
  ///   - resumes: whether to continue an existing journal; otherwise an existing journal is an error.
  ///   - progress: called after the record of each item is written; an error that it throws ends the run.
  /// - Throws: `RelevanceKitError` about the journal, errors that are not caused by an item, and errors of `progress`.
  ///   If the task is canceled, `CancellationError` before the next item; the journal then contains all items that are
  ///   done.
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

/// A journal that is open for writing.
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
    // Without O_NONBLOCK, opening a path that has become a pipe in the meantime could block forever.
    descriptor = FileSystem.withBytes(of: path) {
      open($0, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o666)
    }
    guard descriptor >= 0 else { throw failure() }
    self.journal = journal
    // From here on, deinit closes the file, even if this initializer throws. The lock is released when the process
    // ends, regardless of how it ends.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw SimpleError.inUse(path) }
    let size = lseek(descriptor, 0, SEEK_END)
    if size > 0, !resumes {
      throw SimpleError(
        "\(path) exists already; use --resume to continue it, or another --output to start again", .usage)
    }
    var kept = 0
    // Without a complete first line, no item was completed.
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
    // Closing is not sufficient: a process that is being started can also have the descriptor for a moment.
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
