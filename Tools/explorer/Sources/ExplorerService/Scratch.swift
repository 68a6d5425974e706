import Foundation
import Synchronization

/// Temporary files.
public enum Scratch {
  private static let isEnding = Mutex(false)
  private static let all = FileManager.default.temporaryDirectory
  private static let prefix = "relevance-explorer-\(ProcessInfo.processInfo.processIdentifier)-"

  /// Creates a folder that only this user can read.
  ///
  /// - Throws: `CancellationError` once the process is ending.
  static func folder() throws -> URL {
    try isEnding.withLock { isEnding in
      if isEnding { throw CancellationError() }
      let folder = all.appendingPathComponent(prefix + UUID().uuidString)
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      return folder
    }
  }

  /// Kills the child processes and removes all temporary files. No new folders are created afterward.
  public static func end() {
    isEnding.withLock { $0 = true }
    Program.endAll()
    // The second pass removes files that were written during the first.
    for _ in 0..<2 {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: all.path)) ?? []
      for name in names where name.hasPrefix(prefix) {
        try? FileManager.default.removeItem(at: all.appendingPathComponent(name))
      }
      usleep(5000)
    }
  }
}
