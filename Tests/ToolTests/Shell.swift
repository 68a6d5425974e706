import Foundation
import RelevanceTestSupport

extension Workbench {
  /// Runs a Bash script in the folder, with `relevance` and `convert-model` as the built commands. A command that hangs
  /// ends with status 124.
  func shell(_ script: String) throws -> Outcome {
    let tools = ["relevance", "convert-model"].map { name in
      "\(name)() { timeout 60 '\(Self.executable(named: name).path)' \"$@\"; }"
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", (tools + [script]).joined(separator: "\n")]
    process.currentDirectoryURL = scratch.url
    process.standardInput = FileHandle.nullDevice
    // Use files: pipes would have to be read while the process runs.
    let folder = try Fixtures.Scratch()
    func open(_ name: String) throws -> FileHandle {
      _ = FileManager.default.createFile(atPath: folder.path(name), contents: nil)
      return try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path(name)))
    }
    process.standardOutput = try open("output")
    process.standardError = try open("errors")
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder.path(name))), as: UTF8.self)
    }
    return Outcome(status: process.terminationStatus, output: try text("output"), errors: try text("errors"))
  }
}
