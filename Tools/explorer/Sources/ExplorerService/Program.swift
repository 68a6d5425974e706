import Foundation
import Synchronization

/// Programs that this one has started.
enum Program {
  private static let running = Mutex<Set<pid_t>>([])

  /// Ends all that run, at once: nothing that they write is wanted.
  static func endAll() {
    for id in running.withLock({ $0 }) {
      kill(id, SIGKILL)
      var status: Int32 = 0
      waitpid(id, &status, 0)
    }
  }

  /// Runs a program to its end, or until the task is cancelled.
  ///
  /// - Throws: `ServiceError` with the last line of what the program says if it fails; `CancellationError`.
  static func run(_ tool: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let id = process.processIdentifier
    running.withLock { _ = $0.insert(id) }
    defer { running.withLock { _ = $0.remove(id) } }
    while ended.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
      if Task.isCancelled { kill(id, SIGKILL) }
    }
    // It says little, which a pipe holds.
    let said = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    try Task.checkCancellation()
    guard process.terminationStatus == 0 else {
      throw ServiceError(.unanswerable, said.split(separator: "\n").last.map(String.init) ?? "\(tool) failed")
    }
  }
}
