import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Lab: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares rules on one layer: absorbed relevance, concentration and maps.",
    discussion: """
      Propagates the relevance at the layer's output through this layer by each rule. The rest of the rule table is \
      not changed. Columns of the table:
        IN, OUT    relevance at the layer's output and at its input
        BIAS etc.  absorbed relevance, by cause
        NEGATIVE   share of negative relevance at the input
        GINI       concentration at the input, from 0 (even) to 1 (a single element)
        DISTANCE   distance from the first rule's map, divided by its norm
        COSINE     cosine similarity to the first rule's map
        STEP       in sweeps: distance from the row above, divided by its norm

      Examples:
        relevance lab squeezenet1.1 photo.jpg --layer conv10 --rule zPlus --rule z
        relevance lab model.onnx photo.jpg --layer fc6 --rule epsilon:e=1e-3..1x7
        relevance lab model.onnx photo.npy --layer conv5 --rule z --seed unit:13@6,7
      """)

  /// A kind of output file.
  enum Kind: String, CaseIterable {
    case csv
    case npy
    case png
  }

  @OptionGroup var model: ModelOptions

  @Argument(
    help: ArgumentHelp("An image, a preprocessed tensor (.npy), or - for standard input.", valueName: "input")
  )
  var path: String

  @Option(
    help: ArgumentHelp("The node to apply the rules to; relevance inspect lists all nodes.", valueName: "node"),
    completion: .nodes)
  var layer: String

  @Option(
    name: .customLong("rule"),
    help: ArgumentHelp(
      """
      A rule, name or name:key=value,...; keys can be abbreviated. One value can be a sweep: low..high or low..highxN. \
      Repeatable.
      """, valueName: "rule"), completion: .list(RuleCatalog.standard.names))
  var ruleTexts: [String]

  @Option(
    help: ArgumentHelp(
      """
      The relevance at the layer's output: target (that of --target by LRP), unit:CHANNEL (the largest activation of the \
      channel), unit:CHANNEL@Y,X (one activation) or channel:CHANNEL (all activations of the channel).
      """, valueName: "seed"),
    transform: SeedArgument.init(parsing:))
  var seed = SeedArgument.target

  @Option(
    help: ArgumentHelp(
      "The target of --seed target, as in relevance explain: top:1, class:N or label:NAME. (default: top:1)",
      valueName: "t"),
    transform: TargetArgument.init(parsing:))
  var target: TargetArgument?

  @OptionGroup var rules: RuleOptions
  @OptionGroup var fitting: FitOptions

  @Option(
    help: ArgumentHelp("The folder to write to. (default: lab, if --save is given)", valueName: "dir"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      The kinds of files to write, separated by commas: csv (the table), npy (the relevance by each rule), png (all maps \
      on one scale). (default: none; all with --output)
      """, valueName: "list"))
  var save: String?

  func validate() throws {
    if case .top(let count)? = target, count > 1 {
      throw ValidationError("--target top:\(count) means \(count) classes; expected one, such as top:1 or class:N")
    }
    if target != nil, seed != .target { throw ValidationError("--target needs --seed target; found --seed \(seed)") }
  }

  func run() throws {
    let kinds: Set<Kind> = try save.map { try savedKinds(in: $0) } ?? (output == nil ? [] : Set(Kind.allCases))
    let rules = try ruleTexts.flatMap { try RuleCatalog.standard.rules(parsing: $0) }
    let model = try model.load(for: target.map { [$0] } ?? [])
    let target = try (target ?? .top(1)).resolved(model.labels)
    let explainer = try Explainer(
      self.rules.network(of: model), rules: self.rules.table(for: model), threads: self.model.threads)
    let file = try inputFile()
    noteAssumedPreprocessing(of: model, for: [file])
    let input = try fitting.load(file, for: model)
    let trace = try input.run { try explainer.trace($0) }
    let lab = RuleLab(trace)
    let explained = target.targets(in: trace)[0]
    var seed = seed
    if case .unit(let channel, nil) = seed {
      // Print the position in the title, so that it can be used again.
      seed = .unit(channel, position: try lab.largestPosition(inChannel: channel, at: layer))
    }
    let observations = try lab.experiment(rules, at: layer, seed: seed.seed(for: explained))
    if rules.contains(where: { ($0 as? ZBoxRule)?.box == .fromPixels }) {
      noteAssumedRange(of: model, for: file, under: explainer.plan)
    }
    boxNotes(of: trace, rules, at: layer).forEach { Console.note("\(file.name): \($0)") }

    var report = LabReport(observations, hasSweep: rules.count > ruleTexts.count)
    report.title =
      "\(file.name): \(report.layer), relevance of "
      + (seed == .target ? explained.description(labels: model.labels) : "\(seed)")
    if !kinds.isEmpty { try report.write(kinds, to: output ?? "lab") }
    Console.result(report.text)
    if report.isEmpty { Console.note("no relevance reaches \(layer)") }
  }

  /// Input values outside the box of rule z^B, for the rules of the table and the compared rules.
  private func boxNotes(of trace: Trace, _ rules: [any NamedRule], at layer: String) -> [BoxViolation] {
    let site = trace.plan.network.graph.node(named: layer).flatMap { trace.plan[$0]?.site }
    let tried = site.map { site in rules.compactMap { trace.boxViolation(of: $0, at: site) } } ?? []
    return (trace.boxViolations + tried).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The input.
  ///
  /// - Throws: `ValidationError` for a folder with several inputs.
  private func inputFile() throws -> InputFile {
    let files = try InputFile.all(at: path)
    guard files.count == 1 else {
      throw ValidationError("\(path): found \(files.count) inputs in the folder; expected one")
    }
    return files[0]
  }
}

/// A seed as written on the command line: `unit:CHANNEL`, `unit:CHANNEL@Y,X`, `channel:CHANNEL` or `target`.
enum SeedArgument: Equatable, CustomStringConvertible {
  case unit(Int, position: [Int]?)
  case channel(Int)
  case target

  /// Reads a seed.
  ///
  /// - Throws: `ValidationError` that lists the expected forms.
  init(parsing argument: String) throws {
    let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
    let sides = (parts.count == 2 ? parts[1] : "").split(separator: "@", omittingEmptySubsequences: false)
    let position =
      sides.count == 2 ? sides[1].split(separator: ",", omittingEmptySubsequences: false).map(Self.index) : []
    switch (parts.first, Self.index(sides[0]), sides.count) {
    case ("target", _, _) where parts.count == 1: self = .target
    case ("channel", let channel?, 1): self = .channel(channel)
    case ("unit", let channel?, 1): self = .unit(channel, position: nil)
    case ("unit", let channel?, 2) where !position.contains(nil):
      self = .unit(channel, position: position.compactMap(\.self))
    default: throw ValidationError("expected unit:CHANNEL, unit:CHANNEL@Y,X, channel:CHANNEL or target")
    }
  }

  private static func index(_ text: Substring) -> Int? { Int(text).flatMap { $0 >= 0 ? $0 : nil } }

  var description: String {
    switch self {
    case .unit(let channel, let position):
      "unit:\(channel)" + (position.map { $0.isEmpty ? "" : "@" + $0.map(String.init).joined(separator: ",") } ?? "")
    case .channel(let channel): "channel:\(channel)"
    case .target: "target"
    }
  }

  /// The seed in the lab.
  func seed(for target: Target) -> RuleLab.Seed {
    switch self {
    case .unit(let channel, let position): .unit(channel: channel, position: position)
    case .channel(let channel): .channel(channel)
    case .target: .relevance(of: target)
    }
  }
}

extension Target {
  /// `class:5 (coffee mug)`
  fileprivate func description(labels: Labels?) -> String {
    description + (classIndex.flatMap { labels?[$0] }.map { " (\($0))" } ?? "")
  }
}
