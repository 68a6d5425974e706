import CRelevancePlatform
import Foundation
import RelevanceKit
import Synchronization

/// What a command says on standard error besides errors, as much as was asked for. Results go to standard output.
package enum Console {
  /// How much is said.
  package enum Level: Int, Comparable, Sendable {
    /// Errors only.
    case quiet
    /// Notes, and how far long work is.
    case normal
    /// What is done, and how long it takes.
    case verbose

    package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  private struct State {
    var level = Level.normal
    /// Whether the terminal's last line says how far something is.
    var showsProgress = false
    /// Why standard output could not be written.
    var outputFailure: String?
  }

  private static let state = Mutex(State())

  /// How much is said; set once, by the command line.
  package static var level: Level {
    get { state.withLock { $0.level } }
    set { state.withLock { $0.level = newValue } }
  }

  /// Whether somebody watches.
  package static let isTerminal = isatty(STDERR_FILENO) == 1

  /// Whether marks are colored: on a terminal that can, unless `NO_COLOR` is set (no-color.org).
  private static let usesColor: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
  }()

  /// What marks a line: bold, and in color.
  package enum Mark: String {
    case error = "31"
    case note = "36"
  }

  /// A note for people that is not part of a command's result.
  package static func note(_ text: String) {
    if level >= .normal { line("note: ", .note, text) }
  }

  /// What is being done, for those who want to know.
  package static func detail(_ text: @autoclosure () -> String) {
    if level >= .verbose { line("", .note, text()) }
  }

  /// Does something and, for those who want to know, says how long it took.
  package static func detail<Result>(_ text: @autoclosure () -> String, _ body: () throws -> Result) rethrows -> Result
  {
    let start = ContinuousClock.now
    let result = try body()
    detail("\(text()): \(String(format: "%.1f", (ContinuousClock.now - start) / .milliseconds(1))) ms")
    return result
  }

  /// What was written where, for those who did not ask for silence.
  package static func summary(_ text: String) {
    if level >= .normal { result(text) }
  }

  /// Prints a result in lines; other control characters are shown as escapes.
  package static func result(_ text: String) { print(FileSystem.printable(text).printableLines) }

  /// The longest line on standard error.
  private static let longestLine = 1000

  /// Writes a line, which is cut in the middle if it is very long.
  package static func line(_ prefix: String, _ mark: Mark, _ text: String) {
    let text = FileSystem.printable(text).printable.cut(to: longestLine - prefix.count)
    let prefix = usesColor && !prefix.isEmpty ? "\u{1B}[1;\(mark.rawValue)m\(prefix)\u{1B}[0m" : prefix
    write("\(prefix)\(text)\n", isProgress: false)
  }

  /// Says how far something is: on a terminal in a line that changes, which nil clears; elsewhere in a line of its own.
  static func progress(_ text: String?) {
    guard level >= .normal else { return }
    if isTerminal {
      write(text ?? "", isProgress: text != nil)
    } else if let text {
      write(text + "\n", isProgress: false)
    }
  }

  /// Hands on what was printed: who reads a pipe shall not have to wait.
  ///
  /// - Throws: `OutputFailure` if it cannot be written, now or before: a full disk is no success.
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
    // What was printed before comes before, wherever both go.
    try? flush()
    state.withLock {
      // What cannot be written is lost, and the work goes on.
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
