import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the times of predictions and explanations, in total and for each node.",
    discussion: """
      Columns of the table of nodes, all medians over the runs after a warm-up:
        FORWARD   time in a prediction
        Z         additional time for denominators
        BACKWARD  time in a backward pass with known denominators
        GFLOP/s   rate of matrix products; one multiply-add is 2 operations
        MB        least memory traffic of a prediction: operands, output, weights
      Winograd's reduced number of multiply-adds is counted, its transforms are not. The peak rate is that of a large \
      sgemm, measured in the same rounds. Total runs list the page faults of the process and the rate of their \
      products with weights, including all other work, as a share of the best sgemm rate.

      With --on-request, standard input has one command per line. "run" explains once and prints milliseconds, the sum \
      of the signed relevance of the first target, and its score. "save PATH" writes this relevance as .npy and prints \
      "saved". "quit" ends. "ready" is printed after the warm-up. With --forward, "run" only predicts, and prints \
      milliseconds, the sum of the logits and the largest logit.

      Examples:
        relevance bench vgg16.onnx --runs 9
        relevance bench model.onnx photo.npy --target top:10 --method clrp1 --batch 4
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var rules: RuleOptions
  @OptionGroup var input: BenchInputOptions

  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      "What to explain, as in relevance explain; top:K explains K classes in one pass. Repeatable. (default: top:1)",
      valueName: "t"),
    transform: TargetArgument.init(parsing:))
  var targets: [TargetArgument] = []

  @Option(
    name: .customLong("method"),
    help: ArgumentHelp("A method of relevance explain. Repeatable. (default: lrp)", valueName: "m"),
    transform: MethodCatalog.standard.method(parsing:))
  var methods: [any AttributionMethod] = []

  @Option(
    help: ArgumentHelp(
      "Explain the relevance through each of these channels, all in one pass. With --on-request, save writes all maps.",
      valueName: "node/3+7"),
    transform: {
      guard let condition = Condition($0) else {
        throw ValidationError("--through-each is \($0); expected NODE/CHANNEL, or NODE/3+7 for several channels")
      }
      return condition
    })
  var throughEach: Condition?

  @Option(help: ArgumentHelp("The number of measured runs.", valueName: "n"))
  var runs = 9

  @Flag(
    inversion: .prefixedNo,
    help:
      "Print the times of all nodes for the first method and target. (default: only with a single method and target)")
  var nodes: Bool?

  @Flag(help: "Explain once for each line \"run\" on standard input.")
  var onRequest = false

  @Flag(help: "With --on-request: predict only.")
  var forward = false

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs is \(runs); expected a positive number") }
    if onRequest, max(methods.count, targets.count) > 1 {
      throw ValidationError("--on-request takes one method and one target")
    }
    if forward, !onRequest { throw ValidationError("--forward needs --on-request") }
  }

  func run() throws {
    let model = try model.load(for: targets)
    let network = try rules.network(of: model)
    let input = try input.load(for: model)
    if forward {
      let executor = Executor(network, threads: self.model.threads)
      return try BenchWorker {
        let logits = try executor.logits(input)
        return (logits, logits.sum(), logits.elements.max() ?? 0)
      }.serve()
    }
    let explainer = try Explainer(network, rules: rules.table(for: model), threads: self.model.threads)
    var methods = methods.isEmpty ? [.lrp] : methods
    if let objection = explainer.plan.objection {
      if !self.methods.isEmpty, methods.contains(where: \.isRelevance) { throw objection }
      if self.methods.isEmpty {
        Console.note("\(objection); timing gradient instead of lrp")
        methods = [.gradient]
      }
    }
    let cases = try cases(methods, for: explainer.trace(input), model)
    if onRequest {
      if throughEach != nil {
        return try BenchWorker {
          let found = try explanations(of: cases[0], in: explainer.trace(input))
          let maps = Tensor(joining: found.map(\.signedRelevance))
          return (maps, maps.sum(), found[0].score)
        }.serve()
      }
      return try BenchWorker {
        let explanation = try explainer.trace(input).explain(cases[0].targets, by: cases[0].method, ledger: false)[0]
        return (explanation.signedRelevance, explanation.signedRelevance.sum(), explanation.score)
      }.serve()
    }
    let whole = try wholeRuns(of: cases, explainer, input)
    whole.forEach { Console.result($0.line(items: self.input.batch)) }
    var memory = BenchMemory(peak: peakResidentBytes())
    var nodeTimes = NodeTimes(explainer, input, method: cases[0].method, targets: cases[0].targets)
    try nodeTimes.addRound(noting: &memory)
    let showsNodes = nodes ?? (cases.count == 1)
    if showsNodes {
      for _ in 0..<runs { try nodeTimes.addRound(noting: &memory) }
      Console.result(nodeTimes.description)
    } else {
      nodeTimes.addPeaks(runs)
    }
    Console.result(nodeTimes.peakDescription)
    let shares = whole.map { "\($0.name) \($0.share(of: nodeTimes.bestPeak))" }.joined(separator: ", ")
    Console.result("share of the best rate: \(shares)")
    Console.result("instruction set of other loops: \(explainer.executor.instructionSet.rawValue)")
    Console.result(memory.description(of: network))
  }

  /// Times runs and explanations as a whole.
  private func wholeRuns(of cases: [Case], _ explainer: Explainer, _ input: Tensor) throws -> [WholeRuns] {
    // Alternate the operations, so that other load affects all of them equally. The first round is a warm-up.
    var whole = [WholeRuns(name: "trace")] + cases.map { WholeRuns(name: "trace + \($0.name)") }
    let products = explainer.executor.workers.products
    for round in 0...runs {
      try whole[0].measure(products, counts: round > 0) { _ = try explainer.trace(input) }
      for (index, one) in cases.enumerated() {
        try whole[index + 1].measure(products, counts: round > 0) {
          _ = try explanations(of: one, in: explainer.trace(input))
        }
      }
    }
    return whole
  }

  /// The timed explanations: of all targets, or of the first target under each condition.
  private func explanations(of one: Case, in trace: Trace) throws -> [Explanation] {
    guard let throughEach else { return try trace.explain(one.targets, by: one.method, ledger: false) }
    return try trace.explain(
      Array(one.targets.prefix(1)), by: one.method,
      throughEach: throughEach.channels.map { [.channel($0, of: throughEach.node)] }, ledger: false)[0]
  }

  private typealias Case = (name: String, method: any AttributionMethod, targets: [Target])

  /// The timed cases. The trace is not kept, because it would count as memory of an explanation.
  private func cases(_ methods: [any AttributionMethod], for trace: Trace, _ model: Model) throws -> [Case] {
    let labels = model.labels
    if let path = input.path {
      let plan = methods.contains(where: \.isRelevance) ? trace.plan : nil
      noteAssumedRange(of: model, for: InputFile(path: path), under: plan)
      boxNotes(of: trace, input: path, methods: methods).forEach { Console.note($0) }
    }
    return try (targets.isEmpty ? [.top(1)] : targets).flatMap { target in
      let found = try target.resolved(labels).targets(in: trace)
      return methods.map { ("\($0) \(target)", $0, found) }
    }
  }
}

/// Runs an operation and returns its time with its result.
func timed<Result>(_ body: () throws -> Result) rethrows -> (milliseconds: Double, result: Result) {
  let clock = ContinuousClock()
  let start = clock.now
  let result = try body()
  return ((clock.now - start) / .milliseconds(1), result)
}
