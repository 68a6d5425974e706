import Foundation
import Synchronization

/// Child processes.
enum Program {
  private static let running = Mutex<Set<pid_t>>([])

  /// Kills all child processes. Their output is discarded.
  static func endAll() {
    for id in running.withLock({ $0 }) {
      kill(id, SIGKILL)
      var status: Int32 = 0
      waitpid(id, &status, 0)
    }
  }

  /// Runs a program to its end, or until the task is canceled.
  ///
  /// - Throws: `ServiceError` with the program's last line on standard error if it fails; `CancellationError`.
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
    // The program prints little, so the pipe's buffer holds all of it.
    let errors = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    try Task.checkCancellation()
    guard process.terminationStatus == 0 else {
      throw ServiceError(.unanswerable, errors.split(separator: "\n").last.map(String.init) ?? "\(tool) failed")
    }
  }
}
