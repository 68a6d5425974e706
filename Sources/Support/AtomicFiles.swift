import CRelevancePlatform
import Foundation

/// Files that appear under their names only when all of them are complete.
///
/// They are written to a temporary folder beside their destination and moved out of it at the end. The folder is then
/// removed. Only regular files are replaced. A link to a file is also replaced, and its target is kept.
package final class AtomicFiles {
  private let target: String
  private let place: TemporaryPlace
  private var notes: [Int32] = []

  /// Prepares files in the folder of `target`, which is one of them, as are `others`. This initializer and the methods
  /// throw `Failure`.
  package init(beside target: String, others: [String] = []) throws {
    self.target = target
    try Self.checkCanReplace(target)
    let folder = PathText.parts(of: target).folder
    for name in others {
      do { try Self.checkCanReplace("\(folder)/\(name)") } catch let failure as Failure {
        throw Failure(reason: "\(name) is written beside it, and \(failure.reason)")
      }
    }
    place = try TemporaryPlace(for: target) { mkdir($0, 0o700) }
  }

  deinit {
    TemporaryPlace.removeFolder(place.path)
    place.isGone = true
    notes.forEach(cplatform_forget_leftover)
  }

  /// The temporary path of a file, before it is moved.
  package func path(of name: String) -> String { "\(place.path)/\(name)" }

  /// Creates a file and calls `body` to write it. Set `syncs` if the disk space must be certain before any name
  /// changes.
  package func write(_ name: String, syncs: Bool, _ body: (AtomicFile) throws -> Void) throws {
    FileSystem.withBytes(of: path(of: name)) { notes.append(cplatform_note_leftover($0)) }
    let file = AtomicFile(
      descriptor: FileSystem.withBytes(of: path(of: name)) { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) })
    guard file.descriptor >= 0 else { throw Failure() }
    do { try body(file) } catch is AtomicFile.Failed { throw Failure() }
    if syncs { try file.sync() }
  }

  /// Moves the files to their names, in order. Each replaces an existing file in one step.
  package func publish(_ names: [String]) throws {
    let targets = names.map { "\(PathText.parts(of: target).folder)/\($0)" }
    // Checks first that all files can be replaced.
    try targets.forEach(Self.checkCanReplace)
    for (name, target) in zip(names, targets) { try Self.move(path(of: name), to: target) }
  }

  /// Writes one file. If this fails, an existing file is kept. If the process is killed, nothing is left behind on file
  /// systems that have files without names. On others, the next writer of the file removes the remains.
  package static func write(_ data: Data, to path: String) throws {
    do {
      try checkCanReplace(path)
      let unnamed = AtomicFile(
        descriptor: FileSystem.withBytes(of: PathText.parts(of: path).folder, cplatform_unnamed_file))
      guard unnamed.descriptor >= 0 else { return try writeNamed(data, to: path) }
      do { try data.withUnsafeBytes(unnamed.append) } catch is AtomicFile.Failed { throw Failure() }
      // If no file has the name, use it directly. Otherwise, use a temporary name and rename, because only renaming
      // replaces a file.
      if FileSystem.withBytes(of: path, { cplatform_name_file(unnamed.descriptor, $0) }) == 0 { return }
      guard errno == EEXIST else { return try writeNamed(data, to: path) }
      flock(unnamed.descriptor, LOCK_EX | LOCK_NB)
      let place = try TemporaryPlace(for: path) { cplatform_name_file(unnamed.descriptor, $0) }
      try move(place.path, to: path)
      place.isGone = true
    } catch let failure as Failure {
      throw SimpleError.cannotWrite(path, reason: failure.reason)
    }
  }

  /// The same with named temporary files.
  private static func writeNamed(_ data: Data, to path: String) throws {
    let files = try AtomicFiles(beside: path)
    let name = PathText.parts(of: path).name
    try files.write(name, syncs: false) { file in try data.withUnsafeBytes(file.append) }
    try files.publish([name])
  }

  private static func move(_ path: String, to target: String) throws {
    guard FileSystem.withBytes(of: path, { from in FileSystem.withBytes(of: target) { rename(from, $0) } }) == 0 else {
      throw Failure()
    }
  }

  /// The reason why a file cannot be written.
  package struct Failure: Error {
    package let reason: String

    package init(reason: String) { self.reason = reason }

    /// Creates a failure from `errno`.
    init() { reason = FileSystem.reason(errno) }
  }

  /// Checks that only a regular file is replaced. A pipe or a device must not be replaced.
  ///
  /// - Throws: `Failure`.
  package static func checkCanReplace(_ path: String) throws {
    let folder = PathText.parts(of: path).folder
    // Folders of open files and of system objects: nothing to replace, even if a path leads to a file.
    if let real = FileSystem.realPath(folder).map({ $0 + "/" }) {
      if ["/proc/", "/sys/", "/dev/fd/", "/dev/pts/"].contains(where: real.hasPrefix) || real == "/dev/" {
        throw Failure(reason: "\(real.dropLast()) contains no regular files; expected a path elsewhere")
      }
    }
    guard let kind = FileSystem.kind(path) else {
      var status = stat()
      guard FileSystem.withBytes(of: path, { lstat($0, &status) }) == 0 else { return }
      throw Failure(reason: "it is a link to a missing file; expected a regular file or none")
    }
    guard kind != S_IFREG else { return }
    throw Failure(
      reason: "it is \(FileSystem.name(of: kind))" + (kind == S_IFDIR ? "" : "; expected a regular file or none"))
  }

}

/// A file that is being written.
package final class AtomicFile {
  fileprivate let descriptor: Int32
  /// The number of bytes written.
  package private(set) var count = 0

  fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// An error of writing; `errno` contains the reason.
  struct Failed: Error {}

  /// Appends bytes.
  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while let start = rest.baseAddress, rest.count > 0 {
      let written = write(descriptor, start, rest.count)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw Failed() }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      count += written
    }
  }

  /// Continues at an offset. The skipped bytes are zeros.
  package func skip(to offset: Int) throws {
    guard offset > count else { return }
    guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else { throw Failed() }
    count = offset
  }

  /// Some file systems report a full disk only at this point.
  fileprivate func sync() throws {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw AtomicFiles.Failure() }
  }
}
