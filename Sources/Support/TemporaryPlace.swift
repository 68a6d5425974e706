import CRelevancePlatform
import Foundation

/// A temporary name beside a file that is being written: `.relevancekit-6f1c…-0`. It is short, even if the file's own
/// name is long.
///
/// The creator of a file or folder with this name holds a lock on it while it exists. The next writer of the file can
/// thus detect the remains of a killed process and reuse the name.
final class TemporaryPlace {
  let path: String
  private let lock: Int32
  private let note: Int32
  /// Whether it was moved or removed, so that the name may belong to another process.
  var isGone = false

  /// Creates a temporary file or folder for a file that is to be written.
  ///
  /// - Parameter make: Creates it under a name if no file has this name. Returns 0, or -1 with `errno`.
  /// - Throws: `AtomicFiles.Failure`.
  init(for target: String, _ make: (UnsafePointer<CChar>) -> Int32) throws {
    let (folder, name) = PathText.parts(of: target)
    let digest = SHA256.digest(of: Data(name.utf8)).prefix(8).hexadecimal
    for attempt in 0..<100 {
      // For many writers at a time, or for a file system without locks.
      let last = attempt < 32 ? "\(attempt)" : String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let path = "\(folder)/.relevancekit-\(digest)-\(last)"
      var made = FileSystem.withBytes(of: path, make)
      if made != 0, errno == EEXIST {
        guard Self.removeAbandoned(path) else { continue }
        made = FileSystem.withBytes(of: path, make)
      }
      guard made == 0 else {
        if errno == EEXIST { continue }
        throw AtomicFiles.Failure()
      }
      let lock = FileSystem.withBytes(of: path) { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
      // Another process may mistake it for abandoned and remove it before it is locked.
      if lock < 0, errno == ENOENT { continue }
      // A lock by another descriptor of this process is equivalent.
      if lock >= 0, !Self.isFile(lock) {
        let isTaken = flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
        if isTaken || !Self.isOpen(path, as: lock) {
          close(lock)
          continue
        }
      } else if lock >= 0 {
        _ = flock(lock, LOCK_EX | LOCK_NB)
      }
      note = FileSystem.withBytes(of: path) { cplatform_note_leftover($0) }
      (self.path, self.lock) = (path, lock)
      return
    }
    throw AtomicFiles.Failure(reason: FileSystem.reason(EEXIST))
  }

  deinit {
    if !isGone { FileSystem.withBytes(of: path) { _ = unlink($0) } }
    cplatform_forget_leftover(note)
    if lock >= 0 { close(lock) }
  }

  private static func isFile(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether the open file is the one with this name.
  private static func isOpen(_ path: String, as descriptor: Int32) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && FileSystem.withBytes(of: path, { lstat($0, &named) }) == 0
      && open.st_dev == named.st_dev && open.st_ino == named.st_ino
  }

  /// Removes a file or folder that no process has locked. Returns false if one has.
  private static func removeAbandoned(_ path: String) -> Bool {
    let lock = FileSystem.withBytes(of: path) { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
    guard lock >= 0 else { return false }
    defer { close(lock) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return false }
    if isFile(lock) { return FileSystem.withBytes(of: path) { unlink($0) } == 0 }
    removeFolder(path)
    return !FileSystem.exists(path)
  }

  /// Removes a folder and the files in it.
  static func removeFolder(_ path: String) {
    for name in (try? FileSystem.names(in: path)) ?? [] {
      FileSystem.withBytes(of: "\(path)/\(name)") { _ = unlink($0) }
    }
    FileSystem.withBytes(of: path) { _ = rmdir($0) }
  }
}
