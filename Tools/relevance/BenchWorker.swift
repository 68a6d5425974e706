import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Does one thing once for every line that asks for it: the other end of measurements side by side with other systems.
struct BenchWorker {
  /// What a run leaves: the tensor that can be saved, and two numbers by which to compare it.
  typealias Outcome = (tensor: Tensor, sum: Double, score: Float)
  let work: () throws -> Outcome

  /// Answers lines of standard input until one is `quit`, or there are no more.
  ///
  /// - Throws: `ValidationError` for a line that is none of the known ones; whatever the work throws.
  func serve() throws {
    var last: Tensor?
    // A first run makes what later ones find made.
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

  /// Prints a line at once, whatever is at the other end.
  ///
  /// - Throws: `RelevanceKitError` if it cannot be written.
  private func say(_ line: String) throws {
    print(line)
    try Console.flush()
  }
}
