import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Limits of memory, threads and processes, signals, and files that change while they are read.
@Suite struct LimitTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  @Test(arguments: ["1000000000", "99999999999999", "9223372036854775807"]) func batchesThatDoNotFit(batch: String)
    throws
  {
    let outcome = try bench.shell("relevance bench bare.onnx --runs 1 --batch \(batch)")
    #expect(outcome.status == 65 && outcome.errorLines.count == 1)
    #expect(outcome.errors.hasPrefix("relevance: --batch \(batch): "), "\(outcome.errors)")
  }

  /// More threads than processors do not slow down the run.
  @Test func moreThreadsThanProcessors() throws {
    let outcome = try bench.shell("TIMEFORMAT='%U %S'; time relevance explain model input.npy --threads 1024")
    #expect(outcome.status == 0)
    let seconds = outcome.errors.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    #expect(seconds.count == 2 && seconds.reduce(0, +) < 8, "\(outcome.errors)")
  }

  #if os(Linux)
    /// With limited address space, a run gives a result or an error, and never hangs.
    @Test(arguments: [150_000, 200_000, 300_000, 400_000, 600_000, 2_000_000, 8_000_000]) func addressSpace(
      limit: Int
    ) throws {
      for threads in ["", "--threads 32"] {
        let outcome = try bench.shell("ulimit -v \(limit); relevance explain model input.npy \(threads)")
        // If even the libraries do not fit, the loader reports the error.
        #expect([0, 64, 65, 70, 127].contains(outcome.status), "\(outcome.status): \(outcome.errors)")
        #expect(outcome.status == 0 ? outcome.errors.isEmpty : outcome.errorLines.count == 1, "\(outcome.errors)")
        if limit >= 8_000_000 { #expect(outcome.status == 0, "\(outcome.errors)") }
      }
    }

    /// A limit of processes does not fail the run. The limit has no effect for root.
    @Test func processes() throws {
      let outcome = try bench.shell(
        "ulimit -u 1; exec '\(Workbench.executable(named: "relevance").path)' explain model input.npy --threads 4 -q")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  #endif

  /// A model file that is shortened while it is mapped gives an error.
  @Test func aModelThatIsShortened() throws {
    let model = Fixtures.path("digits/vgg")
    let outcome = try bench.shell(
      """
      cp -r '\(model)' big; mkfifo to from
      relevance bench big --on-request < to > from & exec 3> to 4< from
      read line <&4; truncate -s 100 big/model.onnx; echo run >&3
      wait $!
      """)
    #expect(outcome.status == 65 && outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("relevance: big/model.onnx: the file was shortened"), "\(outcome.errors)")
  }

  /// A short run of the script, whose defaults are 200 images and 20 moments.
  @Test func interruptedWorkEndsInTheSameBytes() throws {
    let script = Fixtures.root.appendingPathComponent("Tools/interrupt").path
    let tools = Workbench.executable(named: "relevance").deletingLastPathComponent().path
    let outcome = try bench.shell("'\(script)' --bin '\(tools)' --images 8 --moments 4")
    #expect(outcome.status == 0 && outcome.output.hasSuffix("the same bytes\n"), "\(outcome.errors)")
  }

  /// A command that ends at any moment leaves the old file or the complete new one, and no other files.
  @Test(arguments: ["TERM", "INT", "HUP"]) func signalsLeaveNothing(signal: String) throws {
    let outcome = try bench.shell(
      """
      convert-model bare.onnx out.onnx -q || exit
      for moment in 0.00 0.01 0.02 0.03 0.04 0.05 0.06 0.08 0.1; do
        timeout -s \(signal) $moment '\(Workbench.executable(named: "convert-model").path)' bare.onnx out.onnx -q --check
        relevance inspect out.onnx > /dev/null || exit
      done
      ls -A | grep relevancekit && exit 1
      exit 0
      """)
    #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
  }
}
