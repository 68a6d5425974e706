import Foundation

/// A file that is open for reading. All files that users name are read through this class.
///
/// Opening never blocks: a named pipe, a device or a socket may never provide data and is rejected. Files that the
/// parent process passed open, such as `/dev/stdin` or `/dev/fd/63`, are read to their end regardless of their kind.
package final class ReadableFile {
  package let descriptor: Int32
  private let isOwned: Bool
  /// The status when the file was opened.
  private let status: stat
  /// The maximum number of bytes that are read from a stream, which has no size.
  private static let longestStream = 1 << 31

  /// Opens a file.
  ///
  /// - Throws: `FileProblem`.
  package convenience init(_ path: String) throws {
    let isStream = Self.isStream(path)
    let descriptor = FileSystem.withBytes(of: path) { open($0, O_RDONLY | O_CLOEXEC | (isStream ? 0 : O_NONBLOCK)) }
    guard descriptor >= 0 else {
      // A socket.
      if errno == ENXIO { throw FileProblem.other("it is not a regular file") }
      throw FileProblem(errno: errno)
    }
    try self.init(descriptor, isOwned: true)
    let kind = status.st_mode & S_IFMT
    if kind == S_IFDIR { throw FileProblem.folder }
    guard kind == S_IFREG || isStream else { throw FileProblem.other("it is not a regular file") }
  }

  /// Reads from an open descriptor, and leaves it open.
  ///
  /// - Throws: `FileProblem`.
  package convenience init(open descriptor: Int32) throws { try self.init(descriptor, isOwned: false) }

  private init(_ descriptor: Int32, isOwned: Bool) throws {
    (self.descriptor, self.isOwned) = (descriptor, isOwned)
    var status = stat()
    let found = fstat(descriptor, &status)
    self.status = status
    // From here on deinit closes the descriptor, also after an error.
    guard found == 0 else { throw FileProblem(errno: errno) }
  }

  deinit { if isOwned { close(descriptor) } }

  /// Whether a path is a stream that the parent process passed open. It can be read only once, unless it is a file.
  package static func isStream(_ path: String) -> Bool {
    path == "/dev/stdin" || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
  }

  /// The number of bytes of a regular file; nil for everything else.
  package var size: Int? { status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil }

  /// The next bytes; fewer than `count` only at the end.
  ///
  /// - Throws: `FileProblem`.
  package func read(upTo count: Int) throws -> Data {
    var data = Data()
    while data.count < count {
      let more = try some(of: count - data.count)
      if more.isEmpty { break }
      data += more
    }
    return data
  }

  /// All remaining bytes.
  ///
  /// - Throws: `FileProblem`.
  package func readToEnd() throws -> Data {
    var data = Data()
    if let size { data.reserveCapacity(size) }
    while case let more = try some(of: 1 << 20), !more.isEmpty {
      data += more
      guard size != nil || data.count <= Self.longestStream else {
        throw FileProblem.other("it is longer than \(Self.longestStream) bytes")
      }
    }
    return data
  }

  /// Fills memory with the next bytes. Returns false if there are too few.
  ///
  /// - Throws: `FileProblem`.
  package func fill(_ memory: UnsafeMutableRawBufferPointer) throws -> Bool {
    var rest = memory
    while let start = rest.baseAddress, rest.count > 0 {
      let count = Foundation.read(descriptor, start, min(rest.count, 1 << 30))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileProblem(errno: errno) }
      if count == 0 { return false }
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
    }
    return true
  }

  private func some(of count: Int) throws -> Data {
    var data = Data(count: min(count, 1 << 20))
    while true {
      let found = data.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
      if found < 0, errno == EINTR { continue }
      guard found >= 0 else { throw FileProblem(errno: errno) }
      return data.prefix(found)
    }
  }

  /// All bytes of a file.
  ///
  /// - Throws: `FileProblem`.
  package static func data(_ path: String) throws -> Data { try ReadableFile(path).readToEnd() }

  /// All bytes of a file.
  ///
  /// - Parameter sentence: The error message if the file does not exist.
  /// - Throws: `RelevanceKitError`.
  package static func data(_ path: String, missing sentence: String) throws -> Data {
    try reading(path, missing: sentence) { try data(path) }
  }

  /// Converts file problems to errors that name the file.
  package static func reading<Result>(_ path: String, missing sentence: String, _ body: () throws -> Result) throws
    -> Result
  {
    do { return try body() } catch let problem as FileProblem {
      throw problem == .missing
        ? SimpleError("\(path): \(sentence)", .missingInput) : SimpleError.unreadable(path, reason: problem.reason)
    }
  }
}
