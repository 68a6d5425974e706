import ArgumentParser
import Foundation
import RelevanceKit
import ToolSupport

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures explanations on labelled pictures.",
    discussion: """
      DATA is a folder of class folders, a flat folder with --labels FILE and --boxes DIR (ImageNet), a PASCAL VOC folder, a \
      COCO instances_*.json, or a manifest in CSV or JSONL.

      Each picture's result is a line in DIR/journal.jsonl as soon as it is there. --resume continues after an interruption, to \
      the same bytes. --shard i/n does every n-th picture, for a cluster's job array; relevance evaluate merge makes of all \
      shards' journals what one run would have made. DIR/report.md, report.json and a .csv for each table have means and 95 % \
      intervals (bootstrap over pictures).

      Examples:
        relevance evaluate pointing squeezenet1.1 VOC2012 --classes classes.json
        relevance evaluate grid squeezenet1.1 val/ --method lrp --method clrp1
      """,
    subcommands: [
      EvaluatePointing.self, EvaluateAblation.self, EvaluateGrid.self, EvaluateSimilarity.self, EvaluateUnits.self,
      EvaluateDeletion.self, EvaluateInsertion.self, EvaluateBorder.self, EvaluateMerge.self,
    ])
}

struct EvaluatePointing: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pointing",
    abstract: "Whether maps point into the boxes of what they explain.",
    discussion: """
      The pointing game (is the maximum in a box?), its extension to thresholds (are all of the largest pixels that hold so much of \
      the energy?), and the share of energy in the boxes. Each picture is explained for each class that has a box. Difficult are \
      classes whose boxes cover less than a quarter of a picture that another class is in, too.

      Example: relevance evaluate pointing squeezenet1.1 VOC2012 --classes classes.json
      """)

  @OptionGroup var options: EvaluationOptions
  @OptionGroup var methods: MethodOptions

  @Option(
    help: ArgumentHelp(
      "Pixels of the input around a box that still count as inside; 15 are usual.", valueName: "pixels"))
  var tolerance = 0.0

  func validate() throws {
    guard tolerance >= 0 else { throw ValidationError("--tolerance is \(tolerance); expected 0 or more pixels") }
  }

  func run() throws {
    let setting = try options.setting(methods: methods.values)
    try options.run(Pointing(setting.subject, on: setting.data, tolerance: tolerance))
  }
}

struct EvaluateAblation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ablation",
    abstract: "How much a class loses when the patches at the maxima of its map are replaced.",
    discussion: """
      Patches are replaced by the same places of the data set's mean picture. Reported are the mean drops of the class's logit and of \
      its probability. --method random says what patches at random places do.

      Example: relevance evaluate ablation model.onnx photos.csv --patches 10 --method lrp
      """)

  @OptionGroup var options: EvaluationOptions
  @OptionGroup var methods: MethodOptions
  @OptionGroup var mean: MeanOptions
  @OptionGroup var target: TargetChoiceOptions

  @Option(help: ArgumentHelp("The side of a patch in pixels; odd.", valueName: "pixels"))
  var patch = 9

  @Option(help: ArgumentHelp("How many patches, each at the maximum of what is left of the map.", valueName: "n"))
  var patches = 1

  func validate() throws {
    if !(1...9999).contains(patch) || patch % 2 == 0 {
      throw ValidationError("--patch is \(patch); expected an odd number of pixels below 10000")
    }
    if !(1...1000).contains(patches) { throw ValidationError("--patches is \(patches); expected 1 to 1000") }
  }

  func run() throws {
    let setting = try options.setting(methods: methods.values)
    var ablation = Ablation.Options()
    (ablation.patchSide, ablation.patches, ablation.target) = (patch, patches, target.choice)
    try options.run(
      Ablation(setting.subject, on: setting.data, mean: mean.picture(for: setting, options), options: ablation))
  }
}

struct EvaluateGrid: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grid",
    abstract: "How much of what speaks for a class lies in its own picture of a grid of pictures.",
    discussion: """
      The grid pointing game needs no boxes: n by n pictures of different classes, of which the network is sure, are put side by side. \
      Chance is one in n times n.

      Example: relevance evaluate grid squeezenet1.1 val/ --cells 3 --grids 500
      """)

  @OptionGroup var options: EvaluationOptions
  @OptionGroup var methods: MethodOptions

  @Option(help: ArgumentHelp("Pictures in a row and in a column.", valueName: "n"))
  var cells = 2

  @Option(help: ArgumentHelp("How many grids.", valueName: "n"))
  var grids = 100

  @Option(help: ArgumentHelp("How sure the network must be of a picture's class.", valueName: "probability"))
  var confidence = 0.8

  @Option(
    help: """
      Grids n times as large as pictures (full), or as large with pictures made smaller (scaled); automatic is full where the \
      network takes them.
      """)
  var layout = GridPointing.Layout.automatic

  func validate() throws {
    if !(2...100).contains(cells) { throw ValidationError("--cells is \(cells); expected 2 to 100") }
    if !(1...1_000_000).contains(grids) { throw ValidationError("--grids is \(grids); expected 1 to 1000000") }
    if !(0...1).contains(confidence) { throw ValidationError("--confidence is \(confidence); expected 0 to 1") }
  }

  func run() throws {
    let setting = try options.setting(methods: methods.values)
    var grid = GridPointing.Options()
    (grid.cells, grid.grids, grid.confidence, grid.layout, grid.seed) = (cells, grids, confidence, layout, options.seed)
    let name = "candidates-\(setting.subject.cacheName(for: setting.data, withNetwork: true))-\(confidence).json"
    let file = try options.cached(name)
    let candidates: [GridPointing.Candidate]
    if let data = FileManager.default.contents(atPath: file.path),
      let kept = try? JSONDecoder().decode([GridPointing.Candidate].self, from: data)
    {
      candidates = kept
    } else {
      let progress = ProgressLine("looking for pictures that the network is sure of", total: setting.data.images.count)
      candidates = try GridPointing.candidates(setting.subject, on: setting.data, confidence: confidence) {
        progress.update(done: $0)
      }
      progress.end()
      try writeFile(JSONEncoder().encode(candidates), to: file)
    }
    try options.run(GridPointing(setting.subject, on: setting.data, candidates: candidates, options: grid))
  }
}

struct EvaluateSimilarity: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "similarity",
    abstract: "How much alike the maps of one picture's classes are.",
    discussion: """
      Mean cosine and rank correlation of the maps of the best classes, and of random ones of the first hundred.

      Example: relevance evaluate similarity squeezenet1.1 val/ --limit 200
      """)

  @OptionGroup var options: EvaluationOptions
  @OptionGroup var methods: MethodOptions

  @Option(help: ArgumentHelp("How many of the best classes.", valueName: "n"))
  var best = 3

  @Option(help: ArgumentHelp("How many random classes.", valueName: "n"))
  var random = 10

  @Option(help: ArgumentHelp("Of how many of the best classes the random ones are drawn.", valueName: "n"))
  var pool = 100

  @Option(help: ArgumentHelp("Draw the maps of the first n pictures, into DIR/figures.", valueName: "n"))
  var figures = 0

  func validate() throws {
    if best < 2 { throw ValidationError("--best is \(best); expected 2 or more classes, which can be compared") }
    if random < 0 || pool < random {
      throw ValidationError("--random is \(random) of --pool \(pool); expected no more")
    }
  }

  func run() throws {
    let setting = try options.setting(methods: methods.values)
    var similarity = Similarity.Options()
    (similarity.best, similarity.random, similarity.pool, similarity.seed) = (best, random, pool, options.seed)
    let evaluation = try Similarity(setting.subject, on: setting.data, options: similarity)
    try options.run(evaluation)
    let folder = try options.output.folder().appendingPathComponent("figures")
    for item in 0..<min(figures, evaluation.items.count) {
      try makeFolder(folder)
      do {
        for figure in try evaluation.figures(of: item, names: { setting.labels?[$0] }) {
          try figure.image.writePNG(to: folder.appendingPathComponent("\(figure.name).png").path)
        }
      } catch let error as EvaluationError { Console.note("\(evaluation.items[item]) is not drawn: \(error)") }
    }
  }
}

struct EvaluateUnits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "units",
    abstract: "Whether the most active units of a layer see different things, over many pictures.",
    discussion: """
      Each picture is studied as by relevance units, with patches replaced by the data set's mean.

      Example: relevance evaluate units vgg16.onnx val/ --layer fc1
      """)

  @OptionGroup var options: EvaluationOptions
  @OptionGroup var mean: MeanOptions

  @Option(help: ArgumentHelp("The layer whose units are studied.", valueName: "node"))
  var layer: String

  @Option(help: ArgumentHelp("How many units.", valueName: "n"))
  var top = 8

  @Option(help: ArgumentHelp("The side of the patches in pixels; odd.", valueName: "pixels"))
  var patch = 9

  func validate() throws {
    if top < 2 { throw ValidationError("--top is \(top); expected at least 2 units, which can be compared") }
    if !(1...9999).contains(patch) || patch % 2 == 0 {
      throw ValidationError("--patch is \(patch); expected an odd number of pixels below 10000")
    }
  }

  func run() throws {
    let setting = try options.setting(methods: [.lrp, .clrp2])
    try options.run(
      UnitsEvaluation(
        setting.subject, on: setting.data, layer: layer, mean: mean.picture(for: setting, options), count: top,
        patchSide: patch))
  }
}

struct EvaluateDeletion: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deletion",
    abstract: "How fast a class's probability falls as its most salient pixels are replaced.",
    discussion: """
      The area under the curve is reported: the smaller, the better.

      Example: relevance evaluate deletion squeezenet1.1 val/ --steps 50
      """)

  @OptionGroup var flipping: FlippingOptions
  func run() throws { try flipping.run(.deletion) }
}

struct EvaluateInsertion: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "insertion",
    abstract: "How fast a class's probability rises as its most salient pixels are put in.",
    discussion: """
      The area under the curve is reported: the larger, the better.

      Example: relevance evaluate insertion squeezenet1.1 val/ --method clrp1
      """)

  @OptionGroup var flipping: FlippingOptions
  func run() throws { try flipping.run(.insertion) }
}

/// What deletion and insertion share.
struct FlippingOptions: ParsableArguments {
  @OptionGroup var options: EvaluationOptions
  @OptionGroup var methods: MethodOptions
  @OptionGroup var mean: MeanOptions
  @OptionGroup var target: TargetChoiceOptions

  @Option(help: ArgumentHelp("In how many steps all pixels are replaced.", valueName: "n"))
  var steps = 32

  func validate() throws {
    if !(1...10_000).contains(steps) { throw ValidationError("--steps is \(steps); expected 1 to 10000") }
  }

  func run(_ direction: PixelFlipping.Direction) throws {
    let setting = try options.setting(methods: methods.values)
    try options.run(
      PixelFlipping(
        setting.subject, on: setting.data, direction, mean: mean.picture(for: setting, options), steps: steps,
        target: target.choice))
  }
}

struct EvaluateBorder: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "border",
    abstract: "How much of the maps lies along the picture's border, as zero padding may cause.",
    discussion: """
      Each picture is explained for the class with the highest logit. Compare tables of rules by --rules.

      Example: relevance evaluate border model.onnx val/ --rules paper --output paper
      """)

  @OptionGroup var options: EvaluationOptions
  @OptionGroup var methods: MethodOptions

  @Option(help: ArgumentHelp("The width of the frame in pixels of the input.", valueName: "pixels"))
  var width = 8

  func validate() throws {
    if !(1...10_000).contains(width) { throw ValidationError("--width is \(width); expected 1 to 10000 pixels") }
  }

  func run() throws {
    let setting = try options.setting(methods: methods.values)
    try options.run(BorderEnergy(setting.subject, on: setting.data, width: width))
  }
}

struct EvaluateMerge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Makes of the journals of all shards what one run would have made.",
    discussion: """
      Example: relevance evaluate merge evaluation --output evaluation
      """)

  @Argument(help: ArgumentHelp("Journals of shards, or folders with them.", valueName: "journal"))
  var paths: [String]

  @OptionGroup var output: EvaluationOutput

  func run() throws {
    let journals = try paths.flatMap { path -> [String] in
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
        return [path]
      }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      let found = names.filter { $0.hasPrefix("journal-") && $0.hasSuffix(".jsonl") }.sorted()
      guard !found.isEmpty else { throw EvaluateError.noJournals(path) }
      return found.map { "\(path)/\($0)" }
    }
    guard let first = journals.first else { throw JournalError.nothingToMerge }
    switch try JournalHeader(ofJournal: first).evaluation {
    case Pointing.Record.evaluation: try merge(journals, Pointing.Record.self)
    case Ablation.Record.evaluation: try merge(journals, Ablation.Record.self)
    case GridPointing.Record.evaluation: try merge(journals, GridPointing.Record.self)
    case Similarity.Record.evaluation: try merge(journals, Similarity.Record.self)
    case UnitsEvaluation.Record.evaluation: try merge(journals, UnitsEvaluation.Record.self)
    case BorderEnergy.Record.evaluation: try merge(journals, BorderEnergy.Record.self)
    case PixelFlipping.Record.evaluation: try merge(journals, PixelFlipping.Record.self)
    case let other: throw EvaluateError.unknownEvaluation(first, other)
    }
  }

  private func merge<Record: EvaluationRecord>(_ journals: [String], _: Record.Type) throws {
    let journal = try Journal<Record>.merging(journals)
    try writeFile(journal.data(), to: output.folder().appendingPathComponent("journal.jsonl"))
    try output.write(journal)
  }
}

/// What cannot be evaluated or merged as it was asked for.
enum EvaluateError: RelevanceKitError {
  case noJournals(String)
  case unknownEvaluation(String, String)
  case nothingDone(Int)

  var category: ErrorCategory {
    switch self {
    case .noJournals: .missingInput
    case .unknownEvaluation, .nothingDone: .badData
    }
  }

  var description: String {
    switch self {
    case .noJournals(let folder): "\(folder): expected journals of shards, journal-i-of-n.jsonl, found none"
    case .unknownEvaluation(let file, let name): "\(file): a journal of \(name), which this version does not know"
    case .nothingDone(let count): "none of the \(count) items could be evaluated"
    }
  }
}
