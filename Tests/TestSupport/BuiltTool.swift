import Foundation

/// The commands that were built together with the tests.
public enum BuiltTool {
  /// `.build/<configuration>/<name>`, beside the tests.
  public static func url(named name: String) -> URL {
    let places =
      Bundle.allBundles.map(\.bundleURL) + [Bundle.main.bundleURL, Bundle.main.executableURL].compactMap { $0 }
    let candidates = places.flatMap { [$0, $0.deletingLastPathComponent()] }.map {
      $0.appendingPathComponent(name)
    }
    return candidates.first { url in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && !isFolder.boolValue
    } ?? URL(fileURLWithPath: name)
  }

  /// The standard output of a command and its exit status. Standard error is discarded.
  public static func output(
    of executable: URL, _ arguments: [String], in folder: URL
  ) throws -> (text: String, status: Int32) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: data, as: UTF8.self), process.terminationStatus)
  }
}
