import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains a prediction: which pixels support or contradict a class.",
    discussion: """
      Files in DIR/<input>/:
        <target>.<method>.npy          relevance, float32 [C,H,W]
        <target>.<method>.png          heatmap; red supports, blue contradicts
        <target>.<method>.overlay.png  heatmap over the image
        maps.png                       all heatmaps of the input, with color bars
        explanation.html               a self-contained page (--save html)
      DIR/report.json contains scores, sums and ledgers of all inputs.

      Targets:
        top:K              the K classes with the highest scores (default: top:1)
        class:N            class N
        label:NAME         the class with this name
        region:N           segmentation: the mean score of a class over its region
        box:K              detector: the box with the K-th highest confidence
        unit:NODE/CHANNEL  a channel of any node or output
        cosine:FILE.npy    embedding: its cosine similarity to the one in the file
      class, label and unit accept a position, such as class:N@Y,X; region also accepts a name. A region consists of \
      the positions where its class has the highest score. For detectors, top:K selects the K best classes, each at \
      its best position; for segmentation, the K largest regions, the background last. Overlapping boxes are not \
      removed.

      Parameters of a method follow a colon, such as clrp1:against=386,strength=1.5. relevance list methods prints all \
      parameters.

      Examples:
        relevance explain squeezenet1.1 photo.jpg
        relevance explain squeezenet1.1 photo.jpg --target label:zebra --save html
        relevance explain model.onnx photos/ --target top:3 --method lrp --quiet
        convert photo.tif jpg:- | relevance explain model.onnx - --ledger
      """)

  /// A kind of output file.
  enum Artifact: String, CaseIterable {
    case png
    case npy
    case json
    case html
  }

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions
  @OptionGroup var rules: RuleOptions

  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      """
      What to explain: top:K, class:N[@Y,X], label:NAME[@Y,X], region:N, box:K, unit:NODE/CHANNEL[@Y,X] or \
      cosine:FILE.npy. Repeatable. (default: top:1)
      """, valueName: "t"), completion: .list(["top:", "class:", "label:", "region:", "box:", "unit:", "cosine:"]),
    transform: TargetArgument.init(parsing:))
  var targets: [TargetArgument] = []

  @Option(
    name: .customLong("method"),
    help: ArgumentHelp(
      """
      The method: \(MethodCatalog.standard.names.joined(separator: ", ")). Repeatable. (default: clrp1; lrp for \
      targets without competing classes: boxes, units, cosines, quantities and single classes)
      """, valueName: "m"), completion: .list(MethodCatalog.standard.names),
    transform: MethodCatalog.standard.method(parsing:))
  var methods: [any AttributionMethod] = []

  @OptionGroup var conditions: ConditionOptions

  @Option(
    name: .customLong("at"),
    help: ArgumentHelp(
      """
      Also print the most relevant channels of this node's output, and write its relevance to \
      <target>.<method>.at-NODE.npy ([C,H,W]) and .png (sum over the channels). Repeatable.
      """, valueName: "node"), completion: .nodes)
  var layers: [String] = []

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"), completion: .directory)
  var output = "explanations"

  @Option(
    help: ArgumentHelp("The kinds of files to write, separated by commas: png, npy, json, html.", valueName: "list"))
  var save = "png,npy,json"

  @Option(
    help: ArgumentHelp(
      """
      The |r| that has the full color: own (the 99.9th percentile of each map), common (the 99.9th percentile over all \
      maps of an input with the same unit) or fixed:V. Pages start with this scale.
      """, valueName: "own|common|fixed:v"), transform: ScaleArgument.init(parsing:))
  var scale = ScaleArgument.own

  @Flag(help: "Print the conservation ledger: relevance flow per node, and absorbed relevance by cause.")
  var ledger = false

  func run() throws {
    let artifacts: Set<Artifact> = try savedKinds(in: save)
    let model = try model.load(for: targets)
    let wanted = try (targets.isEmpty ? [.top(1)] : targets).map { try $0.resolved(model.labels) }
    let explainer = try rules.explainer(for: model, threads: self.model.threads)
    let methods = methods.isEmpty ? [explainer.usualMethod(for: model, wanted)] : methods
    if let objection = explainer.plan.objection, methods.contains(where: \.isRelevance) { throw objection }
    let files = try inputs.files(for: model)
    let plan = methods.contains(where: \.isRelevance) ? explainer.plan : nil
    noteAssumedPreprocessing(of: model, for: files)
    var report = Report(model: self.model.path, plan: explainer.plan, methods: methods)
    let folder = URL(fileURLWithPath: output)
    let provenance =
      artifacts.contains(.html)
      ? try Provenance(model, threads: explainer.threads, instructionSet: explainer.executor.instructionSet) : nil
    defer { report.note() }

    var failure: (any Error)?
    do {
      try forEachInput(files) { file in
        let input = try inputs.fitting.load(file, for: model)
        let trace = try input.run { try explainer.trace($0) }
        let targets = wanted.flatMap { $0.targets(in: trace) }
        for case .box(let rank) in targets {
          Console.note("\(file.name): \(try Report.understood(rank, in: trace, labels: model.labels))")
        }
        if self.targets.isEmpty, let note = Report.choice(of: trace, labels: model.labels) {
          Console.note("\(file.name): \(note)")
        }
        var explanations: [Explanation] = []
        for method in methods {
          explanations += try Console.detail("explained \(targets.count) targets by \(method)") {
            do { return try conditions.explain(targets, by: method, in: trace) } catch let error as ExplanationError {
              // Values overflow for this input, not for the model.
              guard case .notFinite = error else { throw error }
              throw InputError.doesNotFit(file.name, reason: error.description)
            }
          }
        }
        let flows = try flows(of: explanations, targets, trace)
        // The share of constants is not known for a contrast; use the one that LRP computed.
        let hasShares = explanations.contains { !$0.tokenShares.isEmpty }
        for index in explanations.indices where !hasShares && explanations[index].method.isContrastive {
          let flow = flows.first { $0.target == explanations[index].target }
          explanations[index].remarks += [flow?.constantsRemark].compactMap { $0 }
        }
        let warnings =
          Report.warnings(of: explanations, input: file.name, labels: model.labels, layout: trace.layout)
          + flows.flatMap(\.warnings).map { "\(file.name): \($0)" }
        let writer = ResultWriter(
          folder: folder.appendingPathComponent(file.stem), artifacts: artifacts,
          hasChannelsLast: explainer.network.hasChannelsLast, scale: scale, labels: model.labels)
        let layers = try explanations.map { explanation in
          try self.layers.map { try LayerRelevance(at: $0, for: explanation, in: trace) }
        }
        let maps = try Console.detail("wrote the maps of \(file.name)") { try writer.write(explanations, of: input) }
        try writer.write(layers, of: explanations)
        noteAssumedRange(of: model, for: file, under: plan)
        let notes = boxNotes(of: trace, input: file.name, methods: methods)
        try report.add(
          file, trace: trace, explanations: explanations, layers: layers, labels: model.labels, warnings: warnings,
          notes: notes)
        if let provenance {
          let page = ExplanationPage(
            input: file.name, image: input.image,
            scores: PredictedScores(
              try trace.scores(ofItem: 0), objectness: trace.objectness(ofItem: 0), layout: trace.layout,
              labels: model.labels, top: 5), maps: maps,
            scale: scale,
            labels: model.labels, plan: explainer.plan,
            shapes: try explainer.network.graph.shapes(forInput: input.tensor.shape), model: self.model.path,
            warnings: assumptions(of: model, for: file, under: plan) + explainer.plan.warnings
              + methods.flatMap { $0.warnings(under: explainer.plan) } + notes + warnings,
            provenance: provenance, inputChecksum: try file.checksum())
          try writer.write(page)
        }
        Console.summary(
          report.summary(
            folder: output, ledgers: ledger ? explanations.map(\.ledger) : [], layers: layers,
            sheets: (artifacts.contains(.html) ? ["explanation.html"] : [])
              + (artifacts.contains(.png) ? ["maps.png"] : [])))
      }
    } catch { failure = error }
    if artifacts.contains(.json), !report.inputs.isEmpty {
      try report.write(to: folder.appendingPathComponent("report.json"))
    }
    if let failure { throw failure }
  }

  /// Explanations whose ledgers describe the relevance flow. The sums of a contrast do not, so LRP explains the same
  /// targets.
  private func flows(of explanations: [Explanation], _ targets: [Target], _ trace: Trace) throws -> [Explanation] {
    let relevances = explanations.map(\.method).filter(\.isRelevance)
    let isSufficient = relevances.isEmpty || relevances.contains { $0 is LRP } || !conditions.through.isEmpty
    return try isSufficient ? explanations : trace.explain(targets, by: .lrp)
  }
}

/// Writes the files of one input's explanations.
struct ResultWriter {
  let folder: URL
  let artifacts: Set<Explain.Artifact>
  /// Whether maps are height × width × channels.
  let hasChannelsLast: Bool
  let scale: ScaleArgument
  let labels: Labels?

  /// Writes maps as numbers and as images.
  ///
  /// - Returns: the maps as they are drawn; empty if neither images nor a page are written.
  func write(_ explanations: [Explanation], of input: Input) throws -> [ShownMap] {
    let drawn = artifacts.contains(.png) || artifacts.contains(.html)
    let maps =
      drawn ? try ShownMap.maps(of: explanations, hasChannelsLast: hasChannelsLast, scale: scale) : []
    guard artifacts.contains(.png) || artifacts.contains(.npy) else { return maps }
    try makeFolder(folder)
    if artifacts.contains(.npy) {
      for explanation in explanations {
        let relevance = explanation.relevance.summedOverItems
        let shape = TensorShape(relevance.shape.dimensions.dropFirst().map { $0 })
        try NumPyFile.write(relevance.reshaped(to: shape), to: path(explanation.fileName + ".npy"))
      }
    }
    if artifacts.contains(.png) {
      for map in maps {
        try map.heatmap.image().writePNG(to: path(map.explanation.fileName + ".png"))
        if let image = input.image {
          try map.heatmap.overlay(on: image).writePNG(to: path(map.explanation.fileName + ".overlay.png"))
        }
      }
      try MapSheet(maps, labels: labels).image.writePNG(to: path("maps.png"))
    }
    return maps
  }

  /// Writes the relevance of layers for each explanation.
  func write(_ layers: [[LayerRelevance]], of explanations: [Explanation]) throws {
    guard layers.contains(where: { !$0.isEmpty }), artifacts.contains(.png) || artifacts.contains(.npy) else { return }
    try makeFolder(folder)
    for (explanation, layers) in zip(explanations, layers) {
      for layer in layers { try layer.write(explanation, artifacts: artifacts, scale: scale, to: folder) }
    }
  }

  /// Writes the page.
  func write(_ page: ExplanationPage) throws {
    try makeFolder(folder)
    try writeFile(Data(try page.html().utf8), to: URL(fileURLWithPath: path("explanation.html")))
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}

/// Creates a folder and its missing parent folders.
func makeFolder(_ folder: URL) throws {
  try FileSystem.makeFolder(folder.path)
}

extension Explainer {
  /// CLRP1; LRP for an output that is a quantity or has a single class, and for targets that are no classes.
  fileprivate func usualMethod(for model: Model, _ targets: [TargetArgument]) -> any AttributionMethod {
    guard targets.allSatisfy(\.isOfClasses) else { return LRP() }
    let layout = try? scoreLayout(forInput: model.exampleInputShape)
    return layout?.decision == .quantity || layout?.classes == 1 ? LRP() : CLRP1()
  }
}

extension Explanation {
  /// The method and its conditions: `lrp through conv4_2/3+7`.
  var methodTitle: String {
    guard !conditions.isEmpty else { return method.description }
    let passed = conditions.map(\.description).joined(separator: " and ")
    return "\(method) through \(passed)\(isExclusive ? "" : ", and past it")"
  }

  /// The start of file names, such as `class340.clrp1`, `class340.clrp1-strength-2`, `class8-40-25.lrp`, `region8.lrp`,
  /// `box1.lrp`, `cosine-zebra.lrp`, `unit-conv5-13.lrp` or `unit-conv5-13-6-7.lrp`.
  var fileName: String {
    let passed = conditions.map { ".through-" + $0.description.inFileNames }.joined()
    let method =
      String(method.description.map { ":,=/".contains($0) ? "-" : $0 }) + passed + (isExclusive ? "" : ".open")
    switch target {
    case .class(let index, let position):
      return "class\(index)\((position ?? []).map { "-\($0)" }.joined()).\(method)"
    case .top(let rank): return "top\(rank).\(method)"
    case .region(let index): return "region\(index).\(method)"
    case .box(let rank): return "box\(rank).\(method)"
    case .cosine(let reference):
      let name = URL(fileURLWithPath: reference.name).deletingPathExtension().lastPathComponent
      return "cosine-\(String(name.map { $0 == ":" ? "_" : $0 })).\(method)"
    case .unit(let node, let channel, let position):
      let name = String(node.map { $0 == "/" || $0 == ":" ? "_" : $0 })
      let numbers = ([channel] + (position ?? [])).map(String.init).joined(separator: "-")
      return "unit-\(name)-\(numbers).\(method)"
    }
  }
}
