import ArgumentParser
import Foundation
import RelevanceKit

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times predictions and explanations of one input, warm.",
    discussion: "Example: relevance bench vgg16.onnx photo.npy --runs 9")

  @OptionGroup var model: ModelOptions
  @OptionGroup var rules: RuleOptions

  @Argument(help: ArgumentHelp("A preprocessed input (.npy); by default one of constant grey.", valueName: "input"))
  var input: String?

  @Option(
    help: ArgumentHelp("What to explain, as in relevance explain; top:K explains K classes together.", valueName: "t"),
    transform: TargetArgument.init(parsing:))
  var target = TargetArgument.top(1)

  @Option(help: ArgumentHelp("How, as in relevance explain.", valueName: "m"), transform: Method.init(parsing:))
  var method = Method.lrp

  @Option(help: ArgumentHelp("How often to measure.", valueName: "n"))
  var runs = 9

  @Flag(
    help: "Explain once for every line \"run\" on standard input and print milliseconds, sum of relevance and logit.")
  var onRequest = false

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs is \(runs); expected a positive number") }
  }

  func run() throws {
    let model = try model.load()
    let explainer = try Explainer(rules.network(of: model), rules: rules.table(for: model), threads: self.model.threads)
    var input = Tensor(shape: model.exampleInputShape, repeating: 0.1)
    if let path = self.input { input = try NumPyFile.read(path) }
    let targets = try target.resolved(model.labels).targets(in: explainer.trace(input))
    func explain() throws -> Explanation { try explainer.trace(input).explain(targets, by: method, ledger: false)[0] }
    _ = try explain()
    if onRequest {
      say("ready")
      while let line = readLine(), line != "quit" {
        let (time, explanation) = try timed(explain)
        say(String(format: "%.3f %.9g %.9g", time, explanation.signedRelevance.sum(), explanation.score))
      }
      return
    }
    let forward = try (0..<runs).map { _ in try timed { try explainer.trace(input) }.0 }.sorted()
    let whole = try (0..<runs).map { _ in try timed(explain).0 }.sorted()
    func line(_ name: String, _ times: [Double]) -> String {
      let padded = name.padding(toLength: 16, withPad: " ", startingAt: 0)
      return padded
        + String(format: "median %8.1f ms   best %8.1f ms   worst %8.1f ms", times[runs / 2], times[0], times[runs - 1])
    }
    print(line("trace", forward))
    print(line("trace + \(method.name)", whole))
  }

  /// Prints a line at once, whatever is at the other end.
  private func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

  private func timed<Result>(_ body: () throws -> Result) rethrows -> (Double, Result) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    let elapsed = clock.now - start
    return (Double(elapsed.components.seconds) * 1e3 + Double(elapsed.components.attoseconds) * 1e-15, result)
  }
}
