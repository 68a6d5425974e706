import Foundation
import RelevanceSupport

/// A concept index that is ready to be created.
public struct PreparedConceptIndex: Sendable {
  /// The index without inputs.
  let empty: ConceptIndex
  /// Adds the input with a number to an index; if it throws, the index is unchanged.
  private let add: @Sendable (Int, inout ConceptIndex) throws -> Void

  init(empty: ConceptIndex, add: @escaping @Sendable (Int, inout ConceptIndex) throws -> Void) {
    (self.empty, self.add) = (empty, add)
  }

  /// The names of the inputs.
  package var inputs: [String] { empty.inputs }

  /// The minimum number of seconds between two writes of the state.
  private static let interval = 5.0
  /// The maximum fraction of the time that is spent on writing the state.
  private static let share = 0.05

  /// Indexes all inputs of a shard.
  ///
  /// The state is written every few seconds. An interrupted run can be resumed from it and creates the same index.
  ///
  /// - Parameters:
  ///   - file: the file of the state.
  ///   - shard: the part of the inputs to index.
  ///   - resumes: whether to continue an existing state; otherwise an existing state is an error.
  ///   - progress: called after each input; an error that it throws ends the run.
  /// - Returns: The index of the shard.
  /// - Throws: `RelevanceKitError` about the state, errors that are not caused by an input, and errors of `progress`.
  ///   If the task is canceled, `CancellationError` before the next input; the state then contains all inputs that are
  ///   done.
  /// - Complexity: one run of the network and one backward pass per input; the memory does not depend on the number of
  ///   inputs.
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
        throw SimpleError(
          "\(path) exists already; use --resume to continue it, or another --output to start again", .usage)
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
        // The first write shows early whether the file can be written.
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
  /// The whole index, if it is already in a folder.
  ///
  /// - Parameters:
  ///   - folder: the folder of an index.
  ///   - resumes: whether to use an existing index; otherwise an existing index is an error.
  /// - Returns: The index; nil if there is none.
  /// - Throws: `RelevanceKitError` if the folder contains another index, or if it is damaged.
  public func finished(in folder: some FileLocation, resumes: Bool) throws -> ConceptIndex? {
    let folder = folder.fileSystemPath
    let path = PathText.join(folder, ConceptIndex.headName)
    guard FileSystem.exists(path) else { return nil }
    guard resumes else {
      throw SimpleError(
        "\(path) exists already; use --resume to continue it, or another --output to start again", .usage)
    }
    let found = try ConceptIndex(contentsOf: folder)
    if let difference = found.header.difference(from: empty.header) {
      throw SimpleError.cannotContinue(path, difference)
    }
    return found
  }

  /// Writes a whole index, and removes its state.
  ///
  /// - Parameters:
  ///   - index: the result of `run(state:shard:resumes:progress:)`.
  ///   - folder: the existing folder to write to.
  ///   - state: the file of the state, which is removed.
  /// - Throws: `RelevanceKitError` if a file cannot be written.
  public func finish(_ index: ConceptIndex, in folder: some FileLocation, state: some FileLocation) throws {
    try index.write(to: folder)
    FileSystem.withBytes(of: state.fileSystemPath) { _ = unlink($0) }
  }
}

/// A lock that only one process holds at a time. It is released when the process ends.
private final class RunLock {
  private let path: String
  private let descriptor: Int32

  /// - Throws: `RelevanceKitError` if another process holds the lock, or if it cannot be created.
  init(_ path: String, for file: String) throws {
    self.path = path
    descriptor = FileSystem.withBytes(of: path) {
      open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    }
    guard descriptor >= 0 else { throw SimpleError.cannotWrite(path, reason: String(cString: strerror(errno))) }
    // The previous holder may have removed the file in the meantime.
    var status = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0,
      FileSystem.status(path)?.st_ino == status.st_ino
    else { throw SimpleError.inUse(file) }
  }

  /// Removes the lock file.
  func release() { FileSystem.withBytes(of: path) { _ = unlink($0) } }

  deinit { close(descriptor) }
}
