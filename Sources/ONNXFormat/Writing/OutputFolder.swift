import Foundation

/// A folder beside files that are being written: they get their names, all at the end, by being moved out of it.
///
/// Whatever is left in it goes with it.
final class OutputFolder {
  private let target: String
  private let path: String

  /// Makes the folder for files that will be beside `target`.
  ///
  /// - Throws: `ONNXWritingError.cannotWrite`.
  init(for target: String) throws {
    self.target = target
    let (folder, name) = Self.parts(of: target)
    let unique = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    path = "\(folder)/.\(name).\(unique)"
    var status = stat()
    if stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw ONNXWritingError.cannotWrite(target, reason: "it is a folder")
    }
    guard mkdir(path, 0o700) == 0 else { throw failure() }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file until it is moved.
  func path(of name: String) -> String { "\(path)/\(name)" }

  /// Makes a file and lets `body` fill it.
  ///
  /// - Throws: `ONNXWritingError.cannotWrite`, and what `body` throws.
  func write(_ name: String, _ body: (OutputFile) throws -> Void) throws {
    let file = OutputFile(descriptor: open(path(of: name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666))
    guard file.descriptor >= 0 else { throw failure() }
    do { try body(file) } catch is OutputFile.Failed { throw failure() }
    // Some file systems say only now that there is no room.
    guard fsync(file.descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw failure() }
  }

  /// Gives the files their names, in order; each replaces what had its name at once.
  ///
  /// - Throws: `ONNXWritingError.cannotWrite`.
  func publish(_ names: [String]) throws {
    let folder = Self.parts(of: target).folder
    for name in names {
      guard rename(path(of: name), "\(folder)/\(name)") == 0 else { throw failure() }
    }
  }

  private func failure() -> ONNXWritingError { .cannotWrite(target, reason: String(cString: strerror(errno))) }

  /// The folder and the name of a file.
  static func parts(of path: String) -> (folder: String, name: String) {
    let folder = (path as NSString).deletingLastPathComponent
    return (folder.isEmpty ? "." : folder, (path as NSString).lastPathComponent)
  }
}

/// A file that is being filled.
final class OutputFile {
  fileprivate let descriptor: Int32
  /// What has been written so far.
  private(set) var count = 0

  fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writing failed; `errno` says why.
  struct Failed: Error {}

  /// Writes bytes after those before.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
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
  func skip(to offset: Int) throws {
    guard offset > count else { return }
    guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else { throw Failed() }
    count = offset
  }
}
