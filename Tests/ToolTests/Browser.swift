import Foundation
import RelevanceTestSupport

/// Checks pages in a headless browser.
enum Browser {
  static let isInstalled: Bool = {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    func has(_ name: String) -> Bool {
      folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }
    return has("python3") && names.contains(where: has)
  }()

  /// Checks a page.
  ///
  /// - Parameters:
  ///   - page: the path of the page.
  ///   - script: a script in Tools/reference/checks.
  static func check(_ page: String, by script: String = "check_page.py") throws -> (status: Int32, text: String) {
    let script = Fixtures.root.appendingPathComponent("Tools/reference/checks/\(script)").path
    return try run("/usr/bin/env", ["python3", "-B", script, page], folder: Fixtures.root)
  }

  /// Runs a program, and returns its status and output.
  static func run(_ program: String, _ arguments: [String], folder: URL) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
