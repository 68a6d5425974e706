import Foundation

/// Files that appear under their names only when all of them are complete.
///
/// They are written to a folder beside them, and moved out of it at the end. Whatever is left in it goes with it.
package final class AtomicFiles {
  private let target: String
  private let path: String

  /// Prepares files that will be beside `target`, one of them. This and what follows throw `Failure`.
  package init(beside target: String) throws {
    self.target = target
    let (folder, name) = Self.parts(of: target)
    let unique = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    path = "\(folder)/.\(name).\(unique)"
    var status = stat()
    if stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw Failure(reason: "it is a folder")
    }
    guard mkdir(path, 0o700) == 0 else { throw failure() }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file until it is moved.
  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Makes a file and lets `body` fill it. Where it matters that there is room on the disk before names change, `syncs`.
  package func write(_ name: String, syncs: Bool, _ body: (AtomicFile) throws -> Void) throws {
    let file = AtomicFile(descriptor: open(path(of: name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666))
    guard file.descriptor >= 0 else { throw failure() }
    do { try body(file) } catch is AtomicFile.Failed { throw failure() }
    // Some file systems say only now that there is no room.
    guard !syncs || fsync(file.descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw failure() }
  }

  /// Gives the files their names, in order; each replaces what had its name at once.
  package func publish(_ names: [String]) throws {
    let folder = Self.parts(of: target).folder
    for name in names {
      guard rename(path(of: name), "\(folder)/\(name)") == 0 else { throw failure() }
    }
  }

  /// Writes one file; if it cannot, what had the name still has it.
  package static func write(_ data: Data, to path: String) throws {
    do {
      let files = try AtomicFiles(beside: path)
      let name = parts(of: path).name
      try files.write(name, syncs: false) { file in try data.withUnsafeBytes(file.append) }
      try files.publish([name])
    } catch let failure as Failure {
      throw SimpleError.cannotWrite(path, reason: failure.reason)
    }
  }

  /// Why a file cannot be written.
  package struct Failure: Error {
    package let reason: String
  }

  private func failure() -> Failure { Failure(reason: String(cString: strerror(errno))) }

  /// The folder and the name of a file.
  package static func parts(of path: String) -> (folder: String, name: String) {
    let folder = (path as NSString).deletingLastPathComponent
    return (folder.isEmpty ? "." : folder, (path as NSString).lastPathComponent)
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
}
