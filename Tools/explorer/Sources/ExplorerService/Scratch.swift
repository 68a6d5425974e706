import Foundation
import Synchronization

/// Files that are written for a moment.
public enum Scratch {
  private static let isEnding = Mutex(false)
  private static let all = FileManager.default.temporaryDirectory
  private static let prefix = "relevance-explorer-\(ProcessInfo.processInfo.processIdentifier)-"

  /// A folder that only this user can read.
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

  /// Ends the programs that write there, and removes all that is there. No more is written then.
  public static func end() {
    isEnding.withLock { $0 = true }
    Program.endAll()
    // What is being written while its folder goes is found the second time.
    for _ in 0..<2 {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: all.path)) ?? []
      for name in names where name.hasPrefix(prefix) {
        try? FileManager.default.removeItem(at: all.appendingPathComponent(name))
      }
      usleep(5000)
    }
  }
}
