import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Runs an operation once per request line, for measurements side by side with other systems.
struct BenchWorker {
  /// The result of a run: a tensor that can be saved, and two numbers to compare.
  typealias Outcome = (tensor: Tensor, sum: Double, score: Float)
  let work: () throws -> Outcome

  /// Answers lines of standard input until `quit` or the end of input.
  ///
  /// - Throws: `ValidationError` for an unknown line, and the errors of the operation.
  func serve() throws {
    var last: Tensor?
    // The first run is a warm-up.
    _ = try work()
    try say("ready")
    while let line = readLine() {
      let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      switch (words.first, words.count) {
      case ("run", 1):
        let (time, outcome) = try timed(work)
        last = outcome.tensor
        try say(String(format: "%.3f %.9g %.9g", time, outcome.sum, outcome.score))
      case ("save", 2):
        guard let last else { throw ValidationError("found \"save\" before the first \"run\"") }
        try NumPyFile.write(last, to: String(words[1]))
        try say("saved")
      case ("quit", 1): return
      default: throw ValidationError("found the line \"\(line)\"; expected run, save PATH or quit")
      }
    }
  }

  /// Prints a line and flushes standard output.
  ///
  /// - Throws: `RelevanceKitError` if it cannot be written.
  private func say(_ line: String) throws {
    print(line)
    try Console.flush()
  }
}
