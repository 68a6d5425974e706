import Foundation
import RelevanceSupport

/// An index of concepts that is ready to be made.
public struct PreparedConceptIndex: Sendable {
  /// The index without any of the inputs.
  let empty: ConceptIndex
  /// Takes an input into an index, by its number; what it throws leaves the index as it was.
  private let add: @Sendable (Int, inout ConceptIndex) throws -> Void

  init(empty: ConceptIndex, add: @escaping @Sendable (Int, inout ConceptIndex) throws -> Void) {
    (self.empty, self.add) = (empty, add)
  }

  /// The names of the inputs.
  package var inputs: [String] { empty.inputs }

  /// The seconds between two states that are kept, at least.
  private static let interval = 5.0
  /// And of the time at most this part is spent on keeping them.
  private static let share = 0.05

  /// Indexes all inputs of a shard.
  ///
  /// What was found so far is written every few seconds: a run that is interrupted goes on from there, to the same
  /// index.
  ///
  /// - Parameters:
  ///   - file: where the state is kept.
  ///   - shard: which of the inputs.
  ///   - resumes: whether to continue a state that is there; otherwise one is an error.
  ///   - progress: called after each input; what it throws ends the run.
  /// - Returns: the shard's index.
  /// - Throws: a `RelevanceKitError` about the state, errors that are not those of an input, and what `progress`
  ///   throws. In a task that is cancelled, `CancellationError` before the next input; the state then has all inputs
  ///   that were done.
  /// - Complexity: a run and a backward pass for each input; memory does not grow with their number.
  public func run(
    state file: some FileLocation, shard: Shard = .whole, resumes: Bool = false,
    progress: (EvaluationProgress) throws -> Void = { _ in }
  ) throws -> ConceptIndex {
    let path = file.fileSystemPath
    let lock = try RunLock(path + ".lock", for: path)
    defer { lock.release() }
    var index = empty
    index.header.shard = shard
    if FileSystem.exists(path) {
      guard resumes else {
        throw SimpleError("\(path) is there already; --resume continues it, another --output starts anew", .usage)
      }
      let found = try ConceptIndex(state: path)
      if let difference = found.header.difference(from: index.header) {
        throw SimpleError.cannotContinue(path, difference)
      }
      guard found.header.shard == shard else {
        throw SimpleError.cannotContinue(path, "shard \(found.header.shard.rawValue), not \(shard.rawValue)")
      }
      index = found
    }
    let total = shard.count(of: index.inputs.count)
    let start = ContinuousClock.now
    let before = index.done
    var (kept, isNew, pause) = (start, before == 0, Self.interval)
    func keep() throws {
      let start = ContinuousClock.now
      try index.writeState(to: path)
      kept = .now
      isNew = false
      pause = max(Self.interval, (kept - start) / .seconds(1) / Self.share)
    }
    do {
      while index.done < total {
        try Task.checkCancellation()
        let item = shard.item(index.done)
        var failure: String?
        do { try add(item, &index) } catch let error as any RelevanceKitError {
          failure = error.description
          index.failures.append(ConceptIndex.Failure(input: item, error: error.description))
        }
        index.done += 1
        try progress(
          EvaluationProgress(
            done: index.done, total: total, doneNow: index.done - before, seconds: (.now - start) / .seconds(1),
            failure: failure.map { (index.inputs[item], $0) }))
        // The first one shows at once that nothing can be written there.
        if isNew || (.now - kept) / .seconds(1) >= pause { try keep() }
      }
    } catch {
      try keep()
      throw error
    }
    try keep()
    return index
  }
}

extension PreparedConceptIndex {
  /// The whole index, if it is in a folder already.
  ///
  /// - Parameters:
  ///   - folder: what an index was written to.
  ///   - resumes: whether one that is there is wanted; otherwise it is an error.
  /// - Returns: nil if there is none.
  /// - Throws: a `RelevanceKitError` if it is another one, or damaged.
  public func finished(in folder: some FileLocation, resumes: Bool) throws -> ConceptIndex? {
    let folder = folder.fileSystemPath
    let path = PathText.join(folder, ConceptIndex.headName)
    guard FileSystem.exists(path) else { return nil }
    guard resumes else {
      throw SimpleError("\(path) is there already; --resume continues it, another --output starts anew", .usage)
    }
    let found = try ConceptIndex(contentsOf: folder)
    if let difference = found.header.difference(from: empty.header) {
      throw SimpleError.cannotContinue(path, difference)
    }
    return found
  }

  /// Writes a whole index, after which its state is not needed.
  ///
  /// - Parameters:
  ///   - index: what `run(state:shard:resumes:progress:)` has found.
  ///   - folder: where it is written; it is there.
  ///   - state: the state's file, which is removed.
  /// - Throws: a `RelevanceKitError` if a file cannot be written.
  public func finish(_ index: ConceptIndex, in folder: some FileLocation, state: some FileLocation) throws {
    try index.write(to: folder)
    FileSystem.withBytes(of: state.fileSystemPath) { _ = unlink($0) }
  }
}

/// A lock that one process at a time has, as long as it lives.
private final class RunLock {
  private let path: String
  private let descriptor: Int32

  /// - Throws: `RelevanceKitError` if another process has it, or it cannot be made.
  init(_ path: String, for file: String) throws {
    self.path = path
    descriptor = FileSystem.withBytes(of: path) {
      open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    }
    guard descriptor >= 0 else { throw SimpleError.cannotWrite(path, reason: String(cString: strerror(errno))) }
    // Whoever had it may have removed it meanwhile.
    var status = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0,
      FileSystem.status(path)?.st_ino == status.st_ino
    else { throw SimpleError.inUse(file) }
  }

  /// Removes it.
  func release() { FileSystem.withBytes(of: path) { _ = unlink($0) } }

  deinit { close(descriptor) }
}
