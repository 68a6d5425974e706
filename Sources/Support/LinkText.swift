import Foundation

/// Symbolic links that have become text: where a file system or an archive has no links, git and others leave a small file that holds
/// the path that the link led to.
package enum LinkText {
  /// Where a file leads that holds nothing but the relative path of another one; nil for all other files.
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
