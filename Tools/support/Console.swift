import CRelevancePlatform
import Foundation
import RelevanceKit
import Synchronization

/// Output of commands: notes, progress and details on standard error, and results on standard output.
package enum Console {
  /// How much is printed.
  package enum Level: Int, Comparable, Sendable {
    /// Errors only.
    case quiet
    /// Also notes, and the progress of long work.
    case normal
    /// Also each step and its time.
    case verbose

    package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  private struct State {
    var level = Level.normal
    /// Whether the last line on the terminal shows progress.
    var showsProgress = false
    /// The reason why standard output could not be written.
    var outputFailure: String?
  }

  private static let state = Mutex(State())

  /// How much is printed. Set once, from the command line.
  package static var level: Level {
    get { state.withLock { $0.level } }
    set { state.withLock { $0.level = newValue } }
  }

  /// Whether standard error is a terminal.
  package static let isTerminal = isatty(STDERR_FILENO) == 1

  /// Whether marks are colored: on a terminal with colors, unless `NO_COLOR` is set (no-color.org).
  private static let usesColor: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }()

  /// The kind of a line, whose prefix is bold and colored. Raw values are SGR color codes.
  package enum Mark: String {
    case error = "31"
    case note = "36"
  }

  /// Prints a note, which is not part of the command's result.
  package static func note(_ text: String) {
    if level >= .normal { line("note: ", .note, text) }
  }

  /// Prints a step, if `--verbose` is given.
  package static func detail(_ text: @autoclosure () -> String) {
    if level >= .verbose { line("", .note, text()) }
  }

  /// Performs a step and prints its time, if `--verbose` is given.
  package static func detail<Result>(_ text: @autoclosure () -> String, _ body: () throws -> Result) rethrows -> Result
  {
    let start = ContinuousClock.now
    let result = try body()
    detail("\(text()): \(String(format: "%.1f", (ContinuousClock.now - start) / .milliseconds(1))) ms")
    return result
  }

  /// Prints which files were written, unless `--quiet` is given.
  package static func summary(_ text: String) {
    if level >= .normal { result(text) }
  }

  /// Prints a result. Control characters other than line breaks are printed as escapes.
  package static func result(_ text: String) { print(FileSystem.printable(text).printableLines) }

  /// The longest line on standard error.
  private static let longestLine = 1000

  /// Writes a line. A very long line is cut in the middle.
  package static func line(_ prefix: String, _ mark: Mark, _ text: String) {
    let text = FileSystem.printable(text).printable.cut(to: longestLine - prefix.count)
    let prefix = usesColor && !prefix.isEmpty ? "\u{1B}[1;\(mark.rawValue)m\(prefix)\u{1B}[0m" : prefix
    write("\(prefix)\(text)\n", isProgress: false)
  }

  /// Shows progress: in a line of a terminal that is updated, and cleared by nil; in a new line elsewhere.
  static func progress(_ text: String?) {
    guard level >= .normal else { return }
    if isTerminal {
      write(text ?? "", isProgress: text != nil)
    } else if let text {
      write(text + "\n", isProgress: false)
    }
  }

  /// Flushes standard output, so that the reader of a pipe does not wait.
  ///
  /// - Throws: `OutputFailure` if this or an earlier write failed, for example on a full disk.
  package static func flush() throws {
    try state.withLock {
      if $0.outputFailure == nil {
        let result = cplatform_flush_output()
        if result != 0 { $0.outputFailure = result > 0 ? String(cString: strerror(result)) : "an earlier write failed" }
      }
      if let reason = $0.outputFailure { throw OutputFailure(reason: reason) }
    }
  }

  private static func write(_ text: String, isProgress: Bool) {
    // Keep the order of both streams, for example in a terminal.
    try? flush()
    state.withLock {
      // A note that cannot be written does not stop the work.
      var text = ($0.showsProgress ? "\r\u{1B}[K" : "") + text
      text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { if let start = $0.baseAddress { cplatform_say(start, $0.count) } }
      }
      $0.showsProgress = isProgress
    }
  }
}

/// Standard output cannot be written.
struct OutputFailure: RelevanceKitError {
  let reason: String
  var category: ErrorCategory { .cannotWrite }
  var description: String { "standard output: cannot be written: \(reason)" }
}
