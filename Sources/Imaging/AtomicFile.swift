import Foundation

/// Writes a file that appears under its name only when it is complete.
///
/// The bytes go to a temporary file in the same folder, which then takes the name.
///
/// - Throws: `ImageError.cannotWrite`; then the temporary file is gone and whatever had the name still has it.
func writeAtomically(_ data: Data, to path: String) throws {
  func failure() -> ImageError { .cannotWrite(path, reason: String(cString: strerror(errno))) }
  let target = URL(fileURLWithPath: path)
  let unique = UInt64.random(in: 0...UInt64.max)
  let temporary = target.deletingLastPathComponent()
    .appendingPathComponent(".\(target.lastPathComponent).\(String(unique, radix: 36))").path
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw failure() }
  do {
    defer { close(descriptor) }
    try data.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw failure() }
        written += count
      }
    }
  } catch {
    unlink(temporary)
    throw error
  }
  guard rename(temporary, path) == 0 else {
    let error = failure()
    unlink(temporary)
    throw error
  }
}
