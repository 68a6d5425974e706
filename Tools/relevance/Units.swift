import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Units: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what the most active units of a layer see, and tests it.",
    discussion: """
      The most active units (channels, each where it is most active) are explained by LRP and CLRP2. The patch at the maximum \
      of each CLRP2 map (PATCH: row, column of its middle) is replaced: DROP is the part of its activation that the unit \
      itself loses, LARGEST OTHER that of the unit which loses most among the others. GROUP joins units whose CLRP2 maps \
      are alike. The matrix below says what each unit (column) loses by the patch of each (row).

      Writes DIR/<input>/units.csv (the table), drops.csv (the matrix) and units.png (all maps) for each input, and \
      DIR/report.json.

      Examples:
        relevance units squeezenet1.1 photo.jpg --layer fire9_squeeze
        relevance units vgg16.onnx photos/ --layer fc1 --top 12 --replace mean.npy
      """)

  /// What can be written.
  enum Kind: String, CaseIterable {
    case png
    case csv
    case json
  }

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions

  @Option(
    help: ArgumentHelp(
      "The layer: a fully connected one, a convolution, or a rectifier behind one; relevance inspect lists them.",
      valueName: "node"), completion: .nodes)
  var layer: String

  @Option(help: ArgumentHelp("How many units.", valueName: "n"))
  var top = 8

  @Option(help: ArgumentHelp("The side of the patches in pixels; odd.", valueName: "pixels"))
  var patch = 9

  @Option(
    help: ArgumentHelp(
      """
      What patches are replaced by: mean (the pixel that the preprocessing subtracts, so 0 after it), zero (black), or a .npy \
      of the preprocessed input's shape, such as the mean of a data set, whose same places are taken as in the paper.
      """, valueName: "what"))
  var replace = "mean"

  @OptionGroup var rules: RuleOptions

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output = "units"

  @Option(help: ArgumentHelp("What to write, separated by commas: png, csv, json.", valueName: "list"))
  var save = "png,csv,json"

  func validate() throws {
    if top < 2 { throw ValidationError("--top is \(top); expected at least 2 units, which can be compared") }
    if patch < 1 || patch % 2 == 0 { throw ValidationError("--patch is \(patch); expected an odd number of pixels") }
    if !["mean", "zero"].contains(replace), !replace.lowercased().hasSuffix(".npy") {
      throw ValidationError("--replace is \(replace); expected mean, zero or a .npy file")
    }
  }

  func run() throws {
    let kinds: Set<Kind> = try savedKinds(in: save)
    let model = try model.load()
    let explainer = try Explainer(
      rules.network(of: model), rules: rules.table(for: model), threads: self.model.threads)
    // Said once, not for every input.
    _ = try explainer.network.graph.requiredNode(named: layer)
    let files = try inputs.files(for: model)
    noteAssumedPreprocessing(of: model, for: files)
    var options = UnitStudy.Options()
    options.count = top
    options.patchSide = patch
    options.replacement = try replacement(for: model)
    var report = UnitsReport(
      model: self.model.path, table: explainer.plan.table.name, patch: patch, replacement: replace)

    let notes = BoxNotes()
    defer { notes.end() }
    var failure: (any Error)?
    do {
      try forEachInput(files) { file in
        let input = try inputs.fitting.load(file, for: model)
        let trace = try input.run { try explainer.trace($0) }
        let entry = UnitsReport.Entry(
          file.name, try UnitStudy(trace, at: layer, options: options),
          active: try trace.mostActiveUnits(at: layer, count: .max).count)
        noteAssumedRange(of: model, for: file, under: explainer.plan)
        trace.boxViolations.forEach { notes.say("\(file.name): \($0)") }
        let written = try UnitsWriter(folder: "\(output)/\(file.stem)", kinds: kinds).write(entry, of: input)
        report.inputs.append(entry)
        Console.summary(([entry.text] + written.map(\.printable)).joined(separator: "\n"))
      }
    } catch { failure = error }
    if kinds.contains(.json), !report.inputs.isEmpty {
      try report.write(to: URL(fileURLWithPath: output).appendingPathComponent("report.json"))
    }
    if let failure { throw failure }
  }

  private func replacement(for model: Model) throws -> PatchAblation.Replacement {
    switch replace {
    case "mean":
      if model.preprocessing.mean.allSatisfy({ $0 == 0 }) {
        Console.note("the model's preprocessing subtracts no mean; --replace mean is black here")
      }
      return .mean
    case "zero": return .pixel(model.preprocessing.pixelRange.lower)
    default:
      let tensor = try NumPyFile.read(replace)
      return .picture(tensor.shape.rank == 3 ? tensor.reshaped(to: TensorShape([1] + tensor.shape.dimensions)) : tensor)
    }
  }
}
