import Foundation

/// Queries of the file system.
///
/// On Linux, names are not always valid UTF-8. In a `String`, each byte that is not valid UTF-8 is represented by a
/// private character from U+10FF00 on, which Unicode will never assign, so that the string still identifies the file.
/// `printable` shows the byte as `\xE9`.
package enum FileSystem {
  /// Whether a path, with links followed, is a folder; nil if it does not exist.
  package static func isFolder(_ path: String) -> Bool? { kind(path).map { $0 == S_IFDIR } }

  package static func exists(_ path: String) -> Bool { kind(path) != nil }

  /// The names in a folder, including hidden files.
  ///
  /// - Throws: `FileProblem`.
  package static func names(in folder: String) throws -> [String] {
    guard let stream = withBytes(of: folder, { opendir($0) }) else { throw FileProblem(errno: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { text(of: $0.prefix { $0 != 0 }) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Creates a folder and its missing parent folders.
  ///
  /// - Throws: `RelevanceKitError`.
  package static func makeFolder(_ path: String) throws {
    guard isFolder(path) != true else { return }
    let parent = PathText.parts(of: path).folder
    if parent != path, !exists(parent) { try makeFolder(parent) }
    guard withBytes(of: path, { mkdir($0, 0o777) }) == 0 || isFolder(path) == true else {
      throw SimpleError("\(path): the folder cannot be created: \(reason(errno))", .cannotWrite)
    }
  }

  /// The kind of file that a path leads to, `S_IFREG` or another; nil if it does not exist.
  static func kind(_ path: String) -> mode_t? { status(path).map { $0.st_mode & S_IFMT } }

  /// The status of the file that a path leads to; nil if it does not exist.
  package static func status(_ path: String) -> stat? {
    var status = stat()
    return withBytes(of: path) { stat($0, &status) } == 0 ? status : nil
  }

  /// The absolute path that a path leads to, without links; nil, with `errno` set, if it does not exist.
  package static func realPath(_ path: String) -> String? {
    guard let real = withBytes(of: path, { realpath($0, nil) }) else { return nil }
    defer { free(real) }
    return text(of: UnsafeRawBufferPointer(start: real, count: strlen(real)))
  }

  /// The description of a kind of file, for messages.
  static func name(of kind: mode_t) -> String {
    switch kind {
    case S_IFDIR: "a folder"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "not a regular file"
    }
  }

  static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  // MARK: Names that are not UTF-8

  private static let bytes = 0x10FF00

  /// The name that consists of the given bytes.
  package static func text(of name: some Collection<UInt8>) -> String {
    if let text = String(validating: name, as: UTF8.self), !hasBytes(text) { return text }
    var result = String.UnicodeScalarView()
    var decoder = UTF8()
    var rest = name[...]
    while let first = rest.first {
      var iterator = rest.makeIterator()
      decoder = UTF8()
      if case .scalarValue(let scalar) = decoder.decode(&iterator), Int(scalar.value) & ~0xFF != bytes {
        result.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        result.append(Unicode.Scalar(UInt32(bytes + Int(first)))!)
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  /// Calls `body` with the bytes of a name and a terminating zero.
  package static func withBytes<Result>(of name: String, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows
    -> Result
  {
    guard hasBytes(name) else { return try name.withCString(body) }
    var result: [CChar] = []
    for scalar in name.unicodeScalars {
      if Int(scalar.value) & ~0xFF == bytes {
        result.append(CChar(truncatingIfNeeded: scalar.value))
      } else {
        result += Array(UTF8.encode(scalar)!).map { CChar(bitPattern: $0) }
      }
    }
    return try (result + [0]).withUnsafeBufferPointer { try body($0.baseAddress!) }
  }

  /// A text for messages, with `\xE9` for bytes that are not UTF-8.
  package static func printable(_ text: String) -> String {
    guard hasBytes(text) else { return text }
    return text.unicodeScalars.reduce(into: "") {
      $0 += Int($1.value) & ~0xFF == bytes ? "\\x" + [UInt8($1.value & 0xFF)].hexadecimal.uppercased() : String($1)
    }
  }

  /// Whether a name is UTF-8.
  package static func isText(_ name: String) -> Bool { !hasBytes(name) }

  private static func hasBytes(_ text: String) -> Bool {
    text.utf8.contains(0xF4) && text.unicodeScalars.contains { Int($0.value) & ~0xFF == bytes }
  }
}

/// The reason why a file or a folder cannot be read.
package enum FileProblem: Error, Equatable {
  case missing
  case folder
  case other(String)

  init(errno code: Int32) { self = code == ENOENT || code == ENOTDIR ? .missing : .other(FileSystem.reason(code)) }

  /// The reason in words that follow “cannot be read: ”.
  package var reason: String {
    switch self {
    case .missing: "there is no such file"
    case .folder: "it is a folder"
    case .other(let reason): reason
    }
  }
}
