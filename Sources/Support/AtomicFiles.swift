import CRelevancePlatform
import Foundation

/// Files that appear under their names only when all of them are complete.
///
/// They are written to a folder beside them, and moved out of it at the end. Whatever is left in it goes with it. Only what is not there,
/// or is a regular file, is replaced; a link to one is replaced as well, and what it leads to stays.
package final class AtomicFiles {
  private let target: String
  private let place: TemporaryPlace
  private var notes: [Int32] = []

  /// Prepares files that will be beside `target`, which is one of them, as `others` are. This and what follows throw `Failure`.
  package init(beside target: String, others: [String] = []) throws {
    self.target = target
    try Self.checkCanReplace(target)
    let folder = PathText.parts(of: target).folder
    for name in others {
      do { try Self.checkCanReplace("\(folder)/\(name)") } catch let failure as Failure {
        throw Failure(reason: "\(name) goes beside it, and \(failure.reason)")
      }
    }
    place = try TemporaryPlace(for: target) { mkdir($0, 0o700) }
  }

  deinit {
    TemporaryPlace.removeFolder(place.path)
    place.isGone = true
    notes.forEach(cplatform_forget_leftover)
  }

  /// The path of a file until it is moved.
  package func path(of name: String) -> String { "\(place.path)/\(name)" }

  /// Makes a file and lets `body` fill it. Where it matters that there is room on the disk before names change, `syncs`.
  package func write(_ name: String, syncs: Bool, _ body: (AtomicFile) throws -> Void) throws {
    FileSystem.withBytes(of: path(of: name)) { notes.append(cplatform_note_leftover($0)) }
    let file = AtomicFile(
      descriptor: FileSystem.withBytes(of: path(of: name)) { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) })
    guard file.descriptor >= 0 else { throw Failure() }
    do { try body(file) } catch is AtomicFile.Failed { throw Failure() }
    if syncs { try file.sync() }
  }

  /// Gives the files their names, in order; each replaces what had its name at once.
  package func publish(_ names: [String]) throws {
    let targets = names.map { "\(PathText.parts(of: target).folder)/\($0)" }
    // None is replaced if one cannot be.
    try targets.forEach(Self.checkCanReplace)
    for (name, target) in zip(names, targets) { try Self.move(path(of: name), to: target) }
  }

  /// Writes one file; if it cannot, what had the name still has it. However the process ends meanwhile, nothing is left behind where
  /// the file system has files without names; elsewhere the next writer of the file removes what is.
  package static func write(_ data: Data, to path: String) throws {
    do {
      try checkCanReplace(path)
      let unnamed = AtomicFile(
        descriptor: FileSystem.withBytes(of: PathText.parts(of: path).folder, cplatform_unnamed_file))
      guard unnamed.descriptor >= 0 else { return try writeNamed(data, to: path) }
      do { try data.withUnsafeBytes(unnamed.append) } catch is AtomicFile.Failed { throw Failure() }
      // At once where nothing has the name; else by another name, since only that replaces.
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

  /// The same where every file has a name.
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

  /// Why a file cannot be written.
  package struct Failure: Error {
    package let reason: String

    package init(reason: String) { self.reason = reason }

    /// What `errno` says.
    init() { reason = FileSystem.reason(errno) }
  }

  /// Sees to it that only a regular file is replaced: a pipe or a device must stay what it is.
  ///
  /// - Throws: `Failure`.
  package static func checkCanReplace(_ path: String) throws {
    let folder = PathText.parts(of: path).folder
    // Names of open files, and of what the system is: nothing to replace, even where it leads to a file.
    if let real = FileSystem.realPath(folder).map({ $0 + "/" }) {
      if ["/proc/", "/sys/", "/dev/fd/", "/dev/pts/"].contains(where: real.hasPrefix) || real == "/dev/" {
        throw Failure(reason: "there are no regular files in \(real.dropLast()); expected a path elsewhere")
      }
    }
    guard let kind = FileSystem.kind(path) else {
      var status = stat()
      guard FileSystem.withBytes(of: path, { lstat($0, &status) }) == 0 else { return }
      throw Failure(reason: "it is a link that leads to no file; expected a regular file, or none")
    }
    guard kind != S_IFREG else { return }
    throw Failure(
      reason: "it is \(FileSystem.name(of: kind))" + (kind == S_IFDIR ? "" : "; expected a regular file, or none"))
  }

}

/// A file that is being filled.
package final class AtomicFile {
  fileprivate let descriptor: Int32
  /// What has been written so far.
  package private(set) var count = 0

  fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writing failed; `errno` says why.
  struct Failed: Error {}

  /// Writes bytes after those before.
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

  /// Goes on at an offset; what is skipped is zeros.
  package func skip(to offset: Int) throws {
    guard offset > count else { return }
    guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else { throw Failed() }
    count = offset
  }

  /// Some file systems say only now that there is no room.
  fileprivate func sync() throws {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw AtomicFiles.Failure() }
  }
}
