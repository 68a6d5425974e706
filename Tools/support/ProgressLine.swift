import Foundation
import RelevanceKit

/// How far long work is: a line that changes on a terminal; in a log a line now and then.
package final class ProgressLine {
  private let title: String
  private let total: Int?
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?

  /// - Parameter total: of what `update(done:)` counts.
  package init(_ title: String, total: Int? = nil) { (self.title, self.total) = (title, total) }

  /// So many are done.
  package func update(done: Int) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    update(EvaluationProgress(done: done, total: total ?? done, doneNow: done, seconds: seconds))
  }

  /// So much of an evaluation is done.
  package func update(_ progress: EvaluationProgress) {
    // Ten times a second at most; in a log after half a minute first.
    let now = ContinuousClock.now
    guard now - (last ?? start) >= (Console.isTerminal ? .milliseconds(100) : .seconds(30)) else { return }
    last = now
    let (count, seconds) = (Double(progress.doneNow), progress.seconds)
    let perMinute = seconds > 0 ? count * 60 / seconds : 0
    var text = String(format: "%@: %d of %d, %.1f a minute", title, progress.done, progress.total, perMinute)
    if count > 0 {
      text += ", \(Self.duration(Double(progress.total - progress.done) * seconds / count)) left"
    }
    Console.progress(text)
  }

  /// Clears the line.
  package func end() { Console.progress(nil) }

  private static func duration(_ seconds: Double) -> String {
    let seconds = Int(seconds.rounded(.up))
    return seconds < 90
      ? "\(seconds) s"
      : seconds < 5400 ? "\((seconds + 30) / 60) min" : String(format: "%.1f h", Double(seconds) / 3600)
  }
}
