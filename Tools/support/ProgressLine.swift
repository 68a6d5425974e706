import Foundation
import RelevanceKit

/// The progress of long work: a line that is updated on a terminal, or an occasional line in a log.
package final class ProgressLine {
  private let title: String
  private let total: Int?
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?

  /// - Parameters:
  ///   - title: the start of the line.
  ///   - total: the number of items that `update(done:)` counts; nil if unknown.
  package init(_ title: String, total: Int? = nil) { (self.title, self.total) = (title, total) }

  /// Shows the number of finished items.
  package func update(done: Int) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    update(EvaluationProgress(done: done, total: total ?? done, doneNow: done, seconds: seconds))
  }

  /// Shows the progress of an evaluation.
  package func update(_ progress: EvaluationProgress) {
    // At most ten times per second on a terminal, and every half minute in a log.
    let now = ContinuousClock.now
    guard now - (last ?? start) >= (Console.isTerminal ? .milliseconds(100) : .seconds(30)) else { return }
    last = now
    let (count, seconds) = (Double(progress.doneNow), progress.seconds)
    let perMinute = seconds > 0 ? count * 60 / seconds : 0
    var text = String(format: "%@: %d of %d, %.1f per minute", title, progress.done, progress.total, perMinute)
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
