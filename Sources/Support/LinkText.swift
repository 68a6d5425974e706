import Foundation

/// Symbolic links that were stored as text files. If a file system or an archive has no links, git and other programs
/// store a small file with the path of the link's target.
package enum LinkText {
  /// The target of a file that only contains the relative path of another file; nil for all other files.
  package static func target(of path: String) -> String? {
    guard let file = try? ReadableFile(path), let size = file.size, (1...longest).contains(size),
      let data = try? file.read(upTo: size), let text = String(data: data, encoding: .utf8)
    else { return nil }
    let trimmed = text.trimmingCharacters(in: .newlines)
    guard !trimmed.hasPrefix("/"), !trimmed.isEmpty, trimmed.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      return nil
    }
    let target = PathText.join(PathText.parts(of: path).folder, trimmed)
    return FileSystem.kind(target) == S_IFREG ? target : nil
  }

  private static let longest = 1024
}
