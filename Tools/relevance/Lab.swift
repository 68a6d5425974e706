import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Lab: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tries rules on one layer, side by side.",
    discussion: """
      Relevance at the layer's output goes through this layer only, by each rule; nothing else of the rule table changes. \
      The table says of every rule what arrived (IN), what left (OUT) and what took the rest; which share of it is \
      NEGATIVE at the layer's input, and how concentrated it is there (GINI: 0 even, towards 1 all in one place); how far \
      the map is from that of the first rule (DISTANCE, in norms of that; COSINE) and, in sweeps, from the row above \
      (STEP, in norms of that).

      Examples:
        relevance lab squeezenet1.1 photo.jpg --layer conv10 --rule zPlus --rule z
        relevance lab model.onnx photo.jpg --layer fc6 --rule epsilon:e=1e-3..1x7
        relevance lab model.onnx photo.npy --layer conv5 --rule z --seed unit:13@6,7
      """)

  /// What can be written.
  enum Kind: String, CaseIterable {
    case csv
    case npy
    case png
  }

  @OptionGroup var model: ModelOptions

  @Argument(
    help: ArgumentHelp("A picture, a preprocessed tensor, or - for standard input, as for explain.", valueName: "input")
  )
  var path: String

  @Option(
    help: ArgumentHelp("The node whose rule is tried; relevance inspect lists them.", valueName: "node"),
    completion: .nodes)
  var layer: String

  @Option(
    name: .customLong("rule"),
    help: ArgumentHelp(
      """
      A rule: name or name:key=value,...; keys may be shortened. One value may be a sweep, low..high or low..highxN. \
      Repeatable.
      """, valueName: "rule"), completion: .list(RuleCatalog.standard.names))
  var ruleTexts: [String]

  @Option(
    help: ArgumentHelp(
      """
      The relevance at the layer's output: unit:CHANNEL (where it is largest), unit:CHANNEL@Y,X or channel:CHANNEL, with \
      their activations; or target, what arrives there when the target is explained by LRP.
      """, valueName: "seed"),
    transform: SeedArgument.init(parsing:))
  var seed = SeedArgument.target

  @Option(
    help: ArgumentHelp(
      "What seed target explains: top:1, class:N or label:NAME. (default: top:1)", valueName: "t"),
    transform: TargetArgument.init(parsing:))
  var target: TargetArgument?

  @OptionGroup var rules: RuleOptions
  @OptionGroup var fitting: FitOptions

  @Option(
    help: ArgumentHelp("The folder to write to. (default: lab, if there is something to save)", valueName: "dir"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      What to write, separated by commas: csv (the table), npy (the relevance of each rule), png (all maps, with one \
      scale). (default: nothing; with --output, all)
      """, valueName: "list"))
  var save: String?

  func validate() throws {
    if case .top(let count)? = target, count > 1 {
      throw ValidationError("--target top:\(count) means \(count) classes; expected one, such as top:1 or class:N")
    }
    if target != nil, seed != .target { throw ValidationError("--target is for --seed target, not for --seed \(seed)") }
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
      // Said in the title, so that one can come back to it.
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
    if report.isEmpty { Console.note("no relevance arrives at \(layer)") }
  }

  /// Inputs outside of the boxes of rule z^B: of the table, and of the rules that are tried.
  private func boxNotes(of trace: Trace, _ rules: [any NamedRule], at layer: String) -> [BoxViolation] {
    let site = trace.plan.network.graph.node(named: layer).flatMap { trace.plan[$0]?.site }
    let tried = site.map { site in rules.compactMap { trace.boxViolation(of: $0, at: site) } } ?? []
    return (trace.boxViolations + tried).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The one input.
  private func inputFile() throws -> InputFile {
    let files = try InputFile.all(at: path)
    guard files.count == 1 else {
      throw ValidationError("\(path): found \(files.count) inputs in the folder; expected one")
    }
    return files[0]
  }
}

/// A seed as it is written on the command line: `unit:CHANNEL`, `unit:CHANNEL@Y,X`, `channel:CHANNEL` or `target`.
enum SeedArgument: Equatable, CustomStringConvertible {
  case unit(Int, position: [Int]?)
  case channel(Int)
  case target

  /// Reads a seed; the error says what is expected.
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

  /// The seed that is meant.
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
