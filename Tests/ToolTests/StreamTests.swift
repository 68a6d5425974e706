import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Standard output and standard error that are closed, full, or a pipe without a reader.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full here"))
struct StreamTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  /// Notes that cannot be written change neither the status nor the results.
  @Test(arguments: ["2>/dev/full", "2>&-", "2> >(true)", "2>> log"]) func notesAreNotNeeded(redirection: String) throws
  {
    let outcome = try bench.shell(
      """
      relevance explain model input.npy --verbose --output whole 2>/dev/null || exit
      head -c 4096 /dev/zero > log
      # The log can grow no further; results are smaller.
      (\(redirection.contains("log") ? "ulimit -f 4; " : "")relevance explain model input.npy --verbose --save npy --output out \(redirection)) || exit
      cmp whole/input/*.npy out/input/*.npy
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let failing = try bench.shell("relevance predict model nothing.png \(redirection)")
    #expect(failing.status == 66, "\(failing.errors)")
  }

  /// A command fails if its results cannot be written to standard output.
  @Test(arguments: [
    "predict model input.npy", "list operators", "--help", "--version", "explain --help", "inspect model",
    "--generate-completion-script bash", "bench bare.onnx --runs 1",
  ]) func resultsAreNeeded(arguments: String) throws {
    for (redirection, reason) in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
      let outcome = try bench.shell("relevance \(arguments) \(redirection)")
      #expect(outcome.status == 73, "\(redirection)")
      #expect(outcome.errors.hasPrefix("relevance: standard output: cannot be written: "), "\(outcome.errors)")
      #expect(
        outcome.errors.contains(reason) || outcome.errors.contains("an earlier write failed"), "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1)
    }
    // A closed pipe does not end the command by a signal.
    let piped = try bench.shell("relevance \(arguments) | true; exit ${PIPESTATUS[0]}")
    #expect([0, 73].contains(piped.status), "\(piped.errors)")
  }

  /// A file does not get the descriptor number of a closed stream.
  @Test func filesAreNotStreams() throws {
    let outcome = try bench.shell(
      """
      relevance explain model input.npy --output whole >/dev/null || exit
      relevance explain model input.npy --output out --verbose >&- 2>&- <&-
      [ $? = 73 ] && cmp whole/input/maps.png out/input/maps.png && cmp whole/input/*lrp1.npy out/input/*lrp1.npy
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try bench.shell("relevance predict model - <&-").status == 66)
  }

  /// If a file does not fit on the disk, the error contains the system's message, and no partial file remains.
  @Test func filesThatDoNotFit() throws {
    let vgg = Fixtures.path("digits/vgg")
    for script in [
      "relevance explain '\(vgg)' '\(Fixtures.path("digits/scenes/001.png"))'", "convert-model '\(vgg)' out.onnx",
    ] {
      let outcome = try bench.shell("ulimit -f 1; \(script)")
      #expect(outcome.status == 73 && outcome.errorLines.count == 1)
      #expect(outcome.errors.contains("cannot be written: File too large"), "\(outcome.errors)")
    }
    #expect(!bench.contents(of: ".").contains { $0.contains(".relevancekit") || $0.hasPrefix("out.onnx") })
  }
}
