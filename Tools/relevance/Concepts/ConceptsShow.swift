import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Shows the concepts of a prediction.
struct ConceptsShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows which channels of a layer support a prediction, and where in the image.",
    discussion: """
      Prints the channels of a layer with the largest relevance for the target, with their share of the layer's \
      relevance (SHARE) and their activation. For each channel, a heatmap shows the relevance that passes this channel \
      only (Concept Relevance Propagation). --against class:N ranks the channels by how much more they support the \
      target than class N. --index adds reference images.

      Files in DIR/<input>/:
        <target>.<method>.through-NODE_CHANNEL.npy  relevance, float32 [C,H,W]
        concepts.png   all heatmaps
        concepts.html  a self-contained page (--save html)
        graph.svg      the attribution graph: which channels of lower layers pass on
                       the relevance of the channels above (--below)
      DIR/report.json contains the numbers of all inputs.

      Examples:
        relevance concepts squeezenet1.1 photo.jpg --layer fire9_expand3x3
        relevance concepts squeezenet1.1 photo.jpg --layer fire9_expand3x3 --target class:967 --against class:282
        relevance concepts squeezenet1.1 photo.jpg --layer fire9_expand3x3 --index concept-index --save png,html
        relevance concepts squeezenet1.1 photo.jpg --layer fire8_expand3x3 --target unit:fire9_expand3x3/139 --below \
        fire5_expand3x3
      """)

  /// A kind of output file.
  enum Kind: String, CaseIterable {
    case png
    case npy
    case json
    case html
    case svg
  }

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions

  @Option(
    help: ArgumentHelp(
      "The layer: a node between the input and the target; relevance inspect lists all nodes.", valueName: "node"),
    completion: .nodes)
  var layer: String

  @Option(
    help: ArgumentHelp(
      "What to explain, as in relevance explain: a single target. (default: top:1)",
      valueName: "t"),
    completion: .list(["top:1", "class:", "label:", "region:", "box:", "unit:"]),
    transform: TargetArgument.init(parsing:))
  var target = TargetArgument.top(1)

  @Option(
    help: ArgumentHelp(
      "Rank channels by how much more they support the target than this class (CLRP1).", valueName: "class:n"),
    completion: .list(["class:", "label:"]), transform: TargetArgument.init(parsing:))
  var against: TargetArgument?

  @Option(help: ArgumentHelp("The number of channels.", valueName: "n"))
  var top = 6

  @Option(
    help: ArgumentHelp(
      "Show the reference images of each channel from this index.", valueName: "dir"),
    completion: .directory)
  var index: String?

  @Option(help: "With --index: rank the reference images by relevance or by activation.")
  var references = ConceptIndex.Order.relevance

  @Option(help: ArgumentHelp("With --index: the number of reference images for each channel.", valueName: "n"))
  var referenceCount = 6

  @Option(
    help: ArgumentHelp(
      "Extend the attribution graph to this lower layer. Repeatable.",
      valueName: "node"), completion: .nodes)
  var below: [String] = []

  @Option(
    help: ArgumentHelp("With --below: the number of channels in a lower layer for each channel above.", valueName: "n"))
  var branches = 3

  @OptionGroup var rules: RuleOptions

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"), completion: .directory)
  var output = "concepts"

  @Option(
    help: ArgumentHelp(
      """
      The kinds of files to write, separated by commas: png, npy, json, html, svg. (default: png,npy,json; also svg \
      with --below)
      """, valueName: "list"))
  var save: String?

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top); expected at least 1 channel") }
    if branches < 1 { throw ValidationError("--branches is \(branches); expected at least 1 channel") }
    if referenceCount < 1 {
      throw ValidationError("--reference-count is \(referenceCount); expected at least 1 image")
    }
    if case .top(let count) = target, count != 1 {
      throw ValidationError(
        "--target is top:\(count), which stands for \(count) targets; expected one, such as top:1 or class:N")
    }
  }

  func run() throws {
    let kinds: Set<Kind> = try savedKinds(in: save ?? (below.isEmpty ? "png,npy,json" : "png,npy,json,svg"))
    let model = try model.load(for: [target])
    let target = try target.resolved(model.labels)
    let method = try method(labels: model.labels)
    let explainer = try rules.explainer(for: model, threads: self.model.threads)
    if let objection = explainer.plan.objection { throw objection }
    // Report an unknown node once, not for every input.
    for node in [layer] + below { _ = try explainer.network.graph.requiredNode(named: node) }
    let gallery = try index.map {
      try ReferenceGallery(
        $0, layer: layer, explainer: explainer, preprocessing: inputs.fitting.preprocessing(of: model),
        labels: model.labels, order: references, count: referenceCount)
    }
    let files = try inputs.files(for: model)
    noteAssumedPreprocessing(of: model, for: files)
    var report = ConceptsReport(
      model: self.model.path, table: explainer.plan.table.name, layer: layer, method: method.description)
    var failure: (any Error)?
    do {
      try forEachInput(files) { file in
        let input = try inputs.fitting.load(file, for: model)
        let trace = try input.run { try explainer.trace($0) }
        guard let target = target.targets(in: trace).first else { return }
        let study = try ConceptStudy(trace, at: layer, for: target, by: method, count: top)
        if study.concepts.isEmpty {
          Console.note("\(file.name): no channel of \(layer) has relevance above 0 for \(study.target)")
        }
        let folder = URL(fileURLWithPath: output).appendingPathComponent(file.stem)
        let shown = try gallery?.shown(for: study) ?? []
        let graph =
          below.isEmpty && !kinds.contains(.svg)
          ? nil
          : try AttributionGraph(
            trace, for: target, through: [layer] + below, by: method, count: top, width: branches)
        let entry = ConceptsReport.Entry(file, study, shown, graph, labels: model.labels)
        let output = ConceptOutput(
          study: study, input: input, name: file.name, hasChannelsLast: explainer.network.hasChannelsLast,
          labels: model.labels, references: shown, graph: graph)
        let written = try output.write(kinds, to: folder)
        noteAssumedRange(of: model, for: file, under: explainer.plan)
        report.inputs.append(entry)
        Console.summary(
          (entry.lines + written.map { "  \(self.output)/\(file.stem)/\($0)" }).map(\.printable).joined(separator: "\n")
        )
      }
    } catch { failure = error }
    if kinds.contains(.json), !report.inputs.isEmpty {
      try report.write(to: URL(fileURLWithPath: output).appendingPathComponent("report.json"))
    }
    if let failure { throw failure }
  }

  /// LRP, or CLRP1 against a class.
  ///
  /// - Throws: `RelevanceKitError` if `--against` is no class.
  private func method(labels: Labels?) throws -> any AttributionMethod {
    guard let against else { return LRP() }
    guard case .fixed(.class(let index, _)) = try against.resolved(labels) else {
      throw ValidationError("--against is \(against); expected class:N or label:NAME")
    }
    return CLRP1(against: .classes([index]))
  }
}

extension ConceptIndex.Order: ExpressibleByArgument {}
