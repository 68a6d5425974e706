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
    name: .customLong("target"),
    help: ArgumentHelp(
      "What to explain, as in relevance explain; top:K explains K classes together. Repeatable. (default: top:1)",
      valueName: "t"),
    transform: TargetArgument.init(parsing:))
  var targets: [TargetArgument] = []

  @Option(
    name: .customLong("method"),
    help: ArgumentHelp("How, as in relevance explain. Repeatable. (default: lrp)", valueName: "m"),
    transform: Method.init(parsing:))
  var methods: [Method] = []

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
    let cases = try cases(for: explainer.trace(input), model.labels)
    func explain(_ index: Int) throws -> Explanation {
      try explainer.trace(input).explain(cases[index].targets, by: cases[index].method, ledger: false)[0]
    }
    if onRequest {
      _ = try explain(0)
      say("ready")
      while let line = readLine(), line != "quit" {
        let (time, explanation) = try timed { try explain(0) }
        say(String(format: "%.3f %.9g %.9g", time, explanation.signedRelevance.sum(), explanation.score))
      }
      return
    }
    // Round by round, so that what else the machine does befalls all alike; the first round is not counted.
    var forward: [Double] = []
    var whole = [[Double]](repeating: [], count: cases.count)
    for round in 0...runs {
      let time = try timed { try explainer.trace(input) }.0
      if round > 0 { forward.append(time) }
      for index in cases.indices {
        let time = try timed { try explain(index) }.0
        if round > 0 { whole[index].append(time) }
      }
    }
    print(line("trace", forward))
    for (one, times) in zip(cases, whole) { print(line("trace + \(one.name)", times)) }
  }

  private typealias Case = (name: String, method: Method, targets: [Target])

  /// What is timed. The trace is not kept: it would count as memory that an explanation takes.
  private func cases(for trace: Trace, _ labels: Labels?) throws -> [Case] {
    try (targets.isEmpty ? [.top(1)] : targets).flatMap { target in
      let found = try target.resolved(labels).targets(in: trace)
      return (methods.isEmpty ? [.lrp] : methods).map { ("\($0) \(target)", $0, found) }
    }
  }

  private func line(_ name: String, _ times: [Double]) -> String {
    let sorted = times.sorted()
    let padded = name.padding(toLength: max(name.count, 32), withPad: " ", startingAt: 0)
    return padded
      + String(
        format: "median %8.1f ms   best %8.1f ms   worst %8.1f ms", sorted[runs / 2], sorted[0], sorted[runs - 1])
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
