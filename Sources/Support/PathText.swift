/// The parts of a path, from its text alone. Foundation's functions for this purpose crash for names of one letter.
package enum PathText {
  /// The folder and the name of a file. The folder is `.` if there is none. Trailing slashes are ignored. For `/`, both
  /// are `/`.
  package static func parts(of path: String) -> (folder: String, name: String) {
    guard let whole = withoutSlashes(path[...]) else { return path.isEmpty ? (".", "") : ("/", "/") }
    guard let last = whole.utf8.lastIndex(of: slash) else { return (".", String(whole)) }
    return (withoutSlashes(whole[..<last]).map(String.init) ?? "/", String(whole[whole.utf8.index(after: last)...]))
  }

  /// A path below a folder.
  package static func join(_ folder: String, _ path: String) -> String {
    folder.isEmpty || folder.utf8.last == slash ? folder + path : folder + "/" + path
  }

  /// The extension of a name, after the last dot; empty if there is no text before or after the dot.
  package static func fileExtension(of path: String) -> String { split(path).fileExtension }

  /// A file's name without its extension.
  package static func stem(of path: String) -> String { split(path).stem }

  private static func split(_ path: String) -> (stem: String, fileExtension: String) {
    let name = parts(of: path).name
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex,
      name.utf8.index(after: dot) != name.endIndex
    else { return (name, "") }
    return (String(name[..<dot]), String(name[name.utf8.index(after: dot)...]))
  }

  /// A path without its trailing slashes; nil if it only consists of slashes.
  private static func withoutSlashes(_ path: Substring) -> Substring? {
    path.utf8.lastIndex { $0 != slash }.map { path[...$0] }
  }

  private static let slash = UInt8(ascii: "/")
}
